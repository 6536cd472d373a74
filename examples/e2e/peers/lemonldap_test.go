package peers_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// lemonLDAP is where Debian's package of the portal puts it.
const lemonLDAP = "/usr/share/lemonldap-ng/portal"

// TestLemonLDAP signs in with LemonLDAP::NG as the identity provider. It reads our metadata, checks our requests by it,
// and signs with lasso.
func TestLemonLDAP(t *testing.T) {
	requireLemonLDAP(t)
	checkPeer(t, []string{signBoth}, func(t *testing.T, _ string, spMetadata [][]byte) peer {
		return startLemonLDAP(t, spMetadata)
	})
}

// startLemonLDAP starts one that knows these service providers.
func startLemonLDAP(t *testing.T, spMetadata [][]byte) peer {
	t.Helper()
	at := lemonLDAPConfig{spMetadata: spMetadata}.start(t)
	return peer{
		metadata: lemonLDAPMetadata(t, at),
		sign:     signBoth,
		unsolicited: func(entityID, relayState string) string {
			return at + "/saml/singleSignOn?" + url.Values{
				"IDPInitiated": {"1"}, "sp": {entityID}, "RelayState": {relayState},
			}.Encode()
		},
		checksRequests: true, wantsSigned: true,
		mail: "mail", affiliation: "affiliation",
	}
}

func requireLemonLDAP(t *testing.T) {
	t.Helper()
	testkit.RequireFile(t, "peers", lemonLDAP+"/htdocs/index.psgi")
	testkit.RequireProgram(t, "peers", "plackup")
	testkit.RequireSuccess(t, "peers", "perl", "-MLasso", "-MXML::Simple", "-MIO::String", "-e", "1")
}

// lemonLDAPConfig has the parts of its configuration that tests change.
type lemonLDAPConfig struct {
	spMetadata [][]byte
	encryption map[int]string // samlSPMetaDataOptionsEncryptionMode of some of them; the others' is none
	asks       bool           // for a password; else every client is signed in
	base       string         // its address behind a TLS front; empty: its own
}

// start starts one, and returns its address.
func (c lemonLDAPConfig) start(t *testing.T) string {
	t.Helper()
	dir, _ := peerState(t, nil)
	port := freePort(t)
	at := fmt.Sprintf("http://127.0.0.1:%d", port)
	c.base = cmp.Or(c.base, at)
	for _, folder := range []string{"sessions/lock", "persistent/lock", "cache"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, folder), 0o755))
	}
	conf, err := json.Marshal(c.conf(t, dir))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lmConf-1.json"), conf, 0o600))
	ini, err := os.ReadFile(peerScript(t, "lemonldap/lemonldap-ng.ini"))
	require.NoError(t, err)
	ini = bytes.ReplaceAll(ini, []byte("DIR"), []byte(dir))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lemonldap-ng.ini"), ini, 0o600))

	cmd := shellCommand("plackup", "--no-default-middleware", "-s", "HTTP::Server::PSGI",
		"--host", "127.0.0.1", "--port", fmt.Sprint(port), lemonLDAP+"/htdocs/index.psgi")
	cmd.Env = append(os.Environ(), "LLNG_DEFAULTCONFFILE="+filepath.Join(dir, "lemonldap-ng.ini"))
	startPeer(t, cmd, regexp.MustCompile(`(Accepting connections)`))
	return at
}

// conf returns what differs from its default configuration.
func (c lemonLDAPConfig) conf(t *testing.T, dir string) map[string]any {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return string(text)
	}
	storage := func(name string) map[string]any {
		return map[string]any{
			"Directory": dir + "/" + name, "LockDirectory": dir + "/" + name + "/lock",
			"generateModule": "Lemonldap::NG::Common::Apache::Session::Generate::SHA256",
		}
	}
	at, err := url.Parse(c.base)
	require.NoError(t, err)
	conf := map[string]any{
		"cfgNum": 1, "cfgDate": 1, "cfgVersion": "2.16.1",
		"portal": c.base + "/", "domain": at.Hostname(), "cookieName": "lemonldap", "securedCookie": 0,
		"trustedDomains": "*", "locationRules": map[string]any{at.Host: map[string]any{"default": "accept"}},
		"authentication": "Null", "userDB": "Null", "passwordDB": "Null", "registerDB": "Null",
		"globalStorage": "Apache::Session::File", "globalStorageOptions": storage("sessions"),
		"persistentStorage": "Apache::Session::File", "persistentStorageOptions": storage("persistent"),
		"localSessionStorage": "Cache::FileCache",
		"localSessionStorageOptions": map[string]any{
			"namespace": "sessions", "default_expires_in": 600, "cache_root": dir + "/cache",
		},
		"captcha":      "::Main::Plugin", // one that does nothing; the default needs ImageMagick
		"notification": 0, "requireToken": 0, "portalCheckLogins": 0,
		"macros": map[string]any{
			"mail":        "'" + peerUser + "'",
			"affiliation": "'" + strings.Join(peerAffiliation, "; ") + "'",
		},
		"issuerDBSAMLActivation": 1, "samlServiceUseCertificateInResponse": 1,
		"samlServicePrivateKeySig": read("idp.key"), "samlServicePublicKeySig": read("idp.crt"),
		"samlServicePrivateKeyEnc": read("idp.key"), "samlServicePublicKeyEnc": read("idp.crt"),
	}
	if c.asks {
		conf["authentication"], conf["userDB"] = "Demo", "Same"
	}
	if at.Scheme == "https" {
		conf["securedCookie"] = 1
	}
	metadata, attributes, options := map[string]any{}, map[string]any{}, map[string]any{}
	for i, document := range c.spMetadata {
		name := fmt.Sprintf("sp%d", i)
		metadata[name] = map[string]any{"samlSPMetaDataXML": string(document)}
		attributes[name] = map[string]any{"mail": "1;mail;;", "affiliation": "1;affiliation;;"}
		of := map[string]any{}
		for option, value := range map[string]any{
			"NameIDFormat": "email", "EncryptionMode": cmp.Or(c.encryption[i], "none"), "EnableIDPInitiatedURL": 1,
			"SignSSOMessage": 1, "CheckSSOMessageSignature": 1, "SignSLOMessage": 1, "CheckSLOMessageSignature": 1,
		} {
			of["samlSPMetaDataOptions"+option] = value
		}
		options[name] = of
	}
	conf["samlSPMetaDataXML"], conf["samlSPMetaDataExportedAttributes"] = metadata, attributes
	conf["samlSPMetaDataOptions"] = options
	return conf
}

func lemonLDAPMetadata(t *testing.T, at string) []byte {
	t.Helper()
	metadata := newPeerBrowser(t).open(at + "/saml/metadata/idp")
	require.Equal(t, 200, metadata.status, metadata.body)
	return []byte(metadata.body)
}
