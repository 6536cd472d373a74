<?php
// Says whether a document is valid: php validate.php SCHEMA DOCUMENT. Nothing is
// fetched: the schema's imports must lie beside it.
libxml_use_internal_errors(true);
$document = new DOMDocument();
$valid = $document->load($argv[2], LIBXML_NONET) && $document->schemaValidate($argv[1]);
foreach (libxml_get_errors() as $error) {
    echo $error->line, ': ', trim($error->message), "\n";
}
exit($valid ? 0 : 1);
