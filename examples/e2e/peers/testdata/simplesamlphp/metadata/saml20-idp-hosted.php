<?php
// PEER_SIGN says what gets signed: response, assertion or both. PEER_ENCRYPT
// says what gets encrypted: nothing, or some of assertion and nameid, with commas.
// PEER_AUTH is one of authsources.php. PEER_LOGOUT is iframe or nothing.
$sign = getenv('PEER_SIGN');
$encrypt = explode(',', (string)getenv('PEER_ENCRYPT'));
$metadata['__DYNAMIC:1__'] = [
    'host' => '__DEFAULT__',
    'auth' => getenv('PEER_AUTH') ?: 'person',
    'privatekey' => 'idp.key',
    'certificate' => 'idp.crt',
    'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'saml20.sign.response' => $sign !== 'assertion',
    'saml20.sign.assertion' => $sign !== 'response',
    'assertion.encryption' => in_array('assertion', $encrypt, true),
    'nameid.encryption' => in_array('nameid', $encrypt, true),
    'SingleSignOnServiceBinding' => [
        'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
        'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
    ],
    'SingleLogoutServiceBinding' => [
        'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
        'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
    ],
    'saml20.sendartifact' => (bool)getenv('PEER_ARTIFACT'),
    'sign.logout' => true,
    'validate.logout' => true,
    'logouttype' => getenv('PEER_LOGOUT') ?: 'traditional',
    'UIInfo' => ['DisplayName' => ['en' => 'SimpleSAMLphp']],
    'NameIDFormat' => 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
    'authproc' => [
        3 => [
            'class' => 'saml:AttributeNameID',
            'attribute' => 'mail',
            'Format' => 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
        ],
    ],
];
