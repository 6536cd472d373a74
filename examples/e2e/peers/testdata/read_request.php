<?php
// Says what SimpleSAMLphp's library reads in an AuthnRequest: php read_request.php DOCUMENT.
require '/usr/share/simplesamlphp/lib/_autoload.php';
$document = SAML2\DOMDocumentFactory::fromFile($argv[1]);
$request = new SAML2\AuthnRequest($document->documentElement);
$subject = $request->getNameId();
$policy = $request->getNameIdPolicy();
echo json_encode([
    'subject' => [
        $subject->getValue(), $subject->getFormat(), $subject->getNameQualifier(), $subject->getSPNameQualifier(),
        $subject->getSPProvidedID(),
    ],
    'policy' => [$policy['Format'], $policy['SPNameQualifier']],
    'idps' => $request->getIDPList(),
    'count' => (string)$request->getProxyCount(),
    'requesters' => $request->getRequesterID(),
    'name' => $request->getProviderName(),
    'service' => (string)$request->getAttributeConsumingServiceIndex(),
    'extensions' => array_map(
        fn ($e) => [$e->getNamespaceURI(), $e->getLocalName(), $e->getXML()->textContent],
        $request->getExtensions()
    ),
], JSON_UNESCAPED_SLASHES), "\n";
