<?php
// SimpleSAMLphp as a service provider on a loopback port. PEER_STATE is a folder
// with its key and its certificate, and PEER_IDP the identity provider's
// metadata; it keeps its sessions in the folder too.
$state = getenv('PEER_STATE') . '/';
$config = [
    'baseurlpath' => 'http://127.0.0.1:' . $_SERVER['SERVER_PORT'] . '/',
    'certdir' => $state,
    'datadir' => $state,
    'loggingdir' => $state,
    'tempdir' => $state . 'tmp',
    'metadata.sources' => [['type' => 'xml', 'file' => getenv('PEER_IDP')]],
    'module.enable' => ['core' => true, 'saml' => true],
    'store.type' => 'phpsession',
    'session.phpsession.savepath' => $state,
    'session.cookie.secure' => false,
    'secretsalt' => 'of no value: nothing here outlives the test',
    'auth.adminpassword' => bin2hex(random_bytes(16)),
    'timezone' => 'UTC',
    'logging.handler' => 'errorlog',
    'logging.level' => SimpleSAML\Logger::WARNING,
];
