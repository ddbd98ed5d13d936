# PowerShell completion of securid-ctl: `securid-ctl completions powershell` prints this. What belongs at the
# cursor is securid-ctl's own to say; its answers come quoted, and nothing of them is evaluated.
Register-ArgumentCompleter -Native -CommandName securid-ctl -ScriptBlock {
    param($current, $line, $cursor)
    $words = @($line.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object {
            if ($null -ne $_.Value) { [string]$_.Value } else { $_.Extent.Text }
        })
    $answer = @(& (Get-Command -CommandType Application securid-ctl)[0] __complete powershell "--current=$current" -- @words 2>$null)
    if ($answer.Count -lt 2 -or $answer[0] -ne 'values') { return }
    $answer[1..($answer.Count - 1)] | ForEach-Object {
        $quoted, $value, $about = $_ -split "`t", 3
        if (-not $about) { $about = $value }
        [System.Management.Automation.CompletionResult]::new($quoted, $value, 'ParameterValue', $about)
    }
}
