<?php
// Beside its name, its key, signed logout and the one identity provider, all is
// the default.
$base = 'http://127.0.0.1:' . $_SERVER['SERVER_PORT'];
$idp = new DOMDocument();
$idp->load(getenv('PEER_IDP'));
$config = [
    'peer' => [
        'saml:SP',
        'entityID' => $base . '/metadata',
        'idp' => $idp->documentElement->getAttribute('entityID'),
        'privatekey' => 'sp.key',
        'certificate' => 'sp.crt',
        'sign.logout' => true,
        'validate.logout' => true,
    ],
];
