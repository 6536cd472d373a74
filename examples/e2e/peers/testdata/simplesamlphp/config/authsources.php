<?php
// Every client is signed in as this user: there is no sign-in page.
$config = [
    'person' => [
        'exampleauth:StaticSource',
        'uid' => ['alice'],
        'mail' => ['alice@example.com'],
        'eduPersonAffiliation' => ['staff', 'R&D <Lab>', 'Zürich'],
    ],
];
