<?php
// Proves that a phone number is its user's: DOORCODE_URL=https://login.example.com DOORCODE_KEY=dk_… php verify.php NUMBER

function call(string $path, array $body): array
{
    $headers = ['authorization: Bearer ' . getenv('DOORCODE_KEY'), 'content-type: application/json'];
    $request = ['method' => 'POST', 'header' => $headers, 'content' => json_encode($body), 'ignore_errors' => true];
    $context = stream_context_create(['http' => $request]);
    $json = file_get_contents(getenv('DOORCODE_URL') . "/verifications$path", false, $context);
    if ($json === false) {
        exit(1);
    }
    $answer = json_decode($json, true);
    if (isset($answer['code'])) {
        fwrite(STDERR, "{$answer['code']}: {$answer['title']}\n");
        exit(1);
    }
    return $answer;
}

$to = $argv[1];
$verification = call('', ['to' => $to]);
fwrite(STDERR, "The code that was sent to $to: ");
$code = trim(fgets(STDIN));
echo call('/check', ['id' => $verification['id'], 'code' => $code, 'to' => $to])['status'], "\n";
