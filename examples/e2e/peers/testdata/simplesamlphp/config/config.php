<?php
// SimpleSAMLphp as an identity provider on a loopback port, for the length of
// one test. PEER_STATE is a folder with its key, its certificate and the
// metadata of the service providers it knows; it keeps its sessions there too.
// With PEER_ARTIFACT it can answer by artifact. PEER_BASE is its address behind a TLS front, with a slash at the end.
$state = getenv('PEER_STATE') . '/';
$base = getenv('PEER_BASE') ?: 'http://127.0.0.1:' . $_SERVER['SERVER_PORT'] . '/';
$secure = str_starts_with($base, 'https:');
$known = [['type' => 'flatfile']];
foreach (glob($state . 'sp-*.xml') as $file) {
    $known[] = ['type' => 'xml', 'file' => $file];
}
$config = [
    'baseurlpath' => $base,
    'certdir' => $state,
    'datadir' => $state,
    'loggingdir' => $state,
    'tempdir' => $state . 'tmp',
    'metadatadir' => __DIR__ . '/../metadata/',
    'metadata.sources' => $known,
    'enable.saml20-idp' => true,
    'module.enable' => ['core' => true, 'exampleauth' => true, 'saml' => true],
    'store.type' => getenv('PEER_ARTIFACT') ? 'sql' : 'phpsession',
    'store.sql.dsn' => 'sqlite:' . $state . 'store.sqlite',
    'session.phpsession.savepath' => $state,
    'session.cookie.secure' => $secure,
    'session.cookie.samesite' => $secure ? 'None' : null,
    'secretsalt' => 'of no value: nothing here outlives the test',
    'auth.adminpassword' => bin2hex(random_bytes(16)),
    'timezone' => 'UTC',
    'logging.handler' => 'errorlog',
    'logging.level' => SimpleSAML\Logger::WARNING,
];
