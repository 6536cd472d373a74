<?php
// The pages of host.py, for PHP's own server; what else is asked for is
// SimpleSAMLphp's.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$base = 'http://127.0.0.1:' . $_SERVER['SERVER_PORT'];
if ($path === '/metadata') {
    header('Location: ' . $base . '/module.php/saml/sp/metadata.php/peer');
    return true;
}
if ($path !== '/login' && $path !== '/logout' && $path !== '/whoami') {
    return false;
}
require_once '/usr/share/simplesamlphp/lib/_autoload.php';
$auth = new \SimpleSAML\Auth\Simple('peer');
if ($path === '/login') {
    $auth->login(['ReturnTo' => $base . '/whoami']);
}
if ($path === '/logout') {
    $auth->logout(['ReturnTo' => $base . '/whoami']);
}
header('Content-Type: text/plain; charset=utf-8');
$name = $auth->isAuthenticated() ? $auth->getAuthData('saml:sp:NameID') : null;
echo $name === null ? "signed out\n" : 'user=' . $name->getValue() . "\n";
return true;
