<?php
// Whoever comes is this person: there is no sign-in page.
$config = [
    'person' => [
        'exampleauth:StaticSource',
        'uid' => ['alice'],
        'mail' => ['alice@example.com'],
        'eduPersonAffiliation' => ['staff', 'R&D <Lab>', 'Zürich'],
    ],
];
