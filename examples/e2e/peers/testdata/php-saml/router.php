<?php
// php-saml as a service provider, in PHP's own server. Beside what names the two
// sides and their keys, its configuration is that of its settings_example.php.
// Sessions are used as in its demo: the ID of the last request is kept until the
// answer comes, and there need not have been one.
use OneLogin\Saml2\Auth;
use OneLogin\Saml2\IdPMetadataParser;
use OneLogin\Saml2\Settings;

$dir = getenv('PEER_STATE');
spl_autoload_register(function ($class) use ($dir) {
    foreach (['OneLogin\\' => '/onelogin/php-saml/src/', 'RobRichards\\XMLSecLibs\\' => '/robrichards/xmlseclibs/src/'] as $space => $in) {
        if (strpos($class, $space) === 0) {
            require $dir . '/usr/share/zabbix/vendor' . $in . str_replace('\\', '/', substr($class, strlen($space))) . '.php';
        }
    }
});
ini_set('session.save_path', $dir);
session_start();

$base = 'http://127.0.0.1:' . $_SERVER['SERVER_PORT'];
$settings = [
    'strict' => true,
    'sp' => [
        'entityId' => $base . '/metadata',
        'assertionConsumerService' => ['url' => $base . '/acs'],
        'singleLogoutService' => ['url' => $base . '/logout'],
        'x509cert' => file_get_contents($dir . '/sp.crt'),
        'privateKey' => file_get_contents($dir . '/sp.key'),
    ],
];
$idp = IdPMetadataParser::parseXML(file_get_contents(getenv('PEER_IDP')));
unset($idp['sp']); // the NameID's format that the metadata names first
$settings = IdPMetadataParser::injectIntoSettings($settings, $idp);

$consume = function () use ($settings) {
    $auth = new Auth($settings);
    try {
        $auth->processResponse($_SESSION['request'] ?? null);
        unset($_SESSION['request']);
        $why = implode(', ', $auth->getErrors()) . ': ' . $auth->getLastErrorReason();
    } catch (Throwable $e) {
        $why = $e->getMessage();
    }
    if (!$auth->isAuthenticated()) {
        http_response_code(403);
        echo 'refused: ' . substr($why, 0, 500) . "\n";
        return;
    }
    session_regenerate_id(true);
    $_SESSION['user'] = $auth->getNameId();
    header('Location: /whoami', true, 303);
};

// As in its demo: the session that the cookie names ends.
$logout = function () use ($settings) {
    $auth = new Auth($settings);
    try {
        $to = $auth->processSLO(false, $_SESSION['logout'] ?? null, false, null, true);
        $why = $auth->getErrors() ? implode(', ', $auth->getErrors()) . ': ' . $auth->getLastErrorReason() : '';
    } catch (Throwable $e) {
        $why = $e->getMessage();
    }
    if ($why !== '') {
        http_response_code(403);
        echo 'refused: ' . substr($why, 0, 500) . "\n";
        return;
    }
    header('Location: ' . ($to ?: '/whoami'), true, 302);
};

header('Content-Type: text/plain; charset=utf-8');
switch ($_SERVER['REQUEST_METHOD'] . ' ' . parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
    case 'GET /login':
        $auth = new Auth($settings);
        $to = $auth->login($base . '/whoami', [], false, false, true);
        $_SESSION['request'] = $auth->getLastRequestID();
        header('Location: ' . $to);
        break;
    case 'POST /acs':
        $consume();
        break;
    case 'GET /logout':
        $logout();
        break;
    case 'GET /metadata':
        header('Content-Type: application/samlmetadata+xml');
        echo (new Settings($settings, true))->getSPMetadata();
        break;
    case 'GET /whoami':
        echo isset($_SESSION['user']) ? 'user=' . $_SESSION['user'] . "\n" : "signed out\n";
        break;
    default:
        http_response_code(404);
}
