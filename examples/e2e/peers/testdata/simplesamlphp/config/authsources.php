<?php
$person = [
    'uid' => ['alice'],
    'mail' => ['alice@example.com'],
    'eduPersonAffiliation' => ['staff', 'R&D <Lab>', 'Zürich'],
];
$config = [
    // Every client is signed in as this user: there is no sign-in page.
    'person' => ['exampleauth:StaticSource'] + $person,
    // With a page that asks for the password.
    'password' => ['exampleauth:UserPass', 'alice:of no value' => $person],
];
