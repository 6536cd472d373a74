<?php
// SimpleSAMLphp reads metadata of a service provider, as its module metarefresh does.
//
//     read_metadata.php FILE CERTIFICATE ENTITY-ID
//
// CERTIFICATE and all that it writes are in the folder PEER_STATE. Prints a JSON object with the
// fields of spReading, or fails if the signature does not verify with the key of the certificate.
$_SERVER['SERVER_PORT'] = '0'; // for its config.php
require_once '/usr/share/simplesamlphp/lib/_autoload.php';

$loader = new \SimpleSAML\Module\metarefresh\MetaLoader();
$loader->setTypes('saml20-sp-remote');
$loader->loadSource(['src' => $argv[1], 'certificates' => [$argv[2]]]);
$dir = getenv('PEER_STATE') . '/refreshed';
$loader->writeMetadataFiles($dir);
$source = \SimpleSAML\Metadata\MetaDataStorageSource::getSource(['type' => 'flatfile', 'directory' => $dir]);
$sp = $source->getMetaData($argv[3], 'saml20-sp-remote');
if ($sp === null) {
    fwrite(STDERR, "no metadata\n");
    exit(1);
}

$certificates = function (string $use) use ($sp): array {
    $of = array_filter($sp['keys'], function (array $key) use ($use): bool {
        return $key[$use];
    });
    return array_column(array_values($of), 'X509Certificate');
};
$required = $sp['attributes.required'];
$logo = $sp['UIInfo']['Logo'][0];
echo json_encode([
    'acs' => array_map(function (array $e): array {
        return ['location' => $e['Location'], 'index' => $e['index'], 'default' => $e['isDefault'] ?? false];
    }, $sp['AssertionConsumerService']),
    'logout' => array_map(function (array $e): string {
        return $e['Binding'] . ' ' . $e['Location'];
    }, $sp['SingleLogoutService']),
    'signing' => $certificates('signing'),
    'encryption' => $certificates('encryption'),
    'names' => $sp['name'],
    'descriptions' => $sp['UIInfo']['Description'],
    'information' => $sp['UIInfo']['InformationURL'],
    'privacy' => $sp['UIInfo']['PrivacyStatementURL'],
    'logo' => "{$logo['width']}x{$logo['height']} {$logo['url']}",
    'required' => $required,
    'optional' => array_values(array_diff($sp['attributes'], $required)),
    'entityAttributes' => $sp['EntityAttributes'],
    'organization' => $sp['OrganizationName'],
    'contacts' => array_map(function (array $c): string {
        return $c['contactType'] . ' ' . implode(' ', $c['emailAddress']);
    }, $sp['contacts']),
], JSON_THROW_ON_ERROR);
