package attack_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// good are the good messages that vectors are twins of, each the twin of the
// case that stands before it. The rest of the twins are accepted cases.
var good = []struct{ of, id, comment string }{
	{"A03/assertion", "good/assertion", "A good message, in which the assertion is signed."},
	{"A03/response", "good/response", "A good message, in which the Response is signed."},
	{"B02/outer", "good/both", "A good message, in which the assertion is signed, and the Response around it."},
	{"A17/two-encrypted", "good/assertion-encrypted", "A good message with a signed assertion, encrypted with AES-256-GCM, whose content key is encrypted with RSA-OAEP."},
	{"A17/in-signed-response", "good/response-encrypted", "A good message with a signed Response around an assertion encrypted with AES-256-GCM, whose content key is encrypted with RSA-OAEP."},
	{"A17/beside-signed", "good/assertion-decryption-key", "As good/assertion, with a service provider that has a decryption key."},
	{"A17/around-the-signed-response", "good/response-decryption-key", "As good/response, with a service provider that has a decryption key."},
	{"A22/one-attribute", "good/role", `As good/assertion, with a second attribute: role, "on-call".`},
	{"B22/comment-in-certificate", "good/certificate", "As good/assertion, with the certificate of the signing key in KeyInfo."},
	{"B26/rebound", "good/prefix-list", "As C20/inherited, with a PrefixList that names xs, so that its declaration on the Response is signed."},
	{"B26/dropped", "good/prefix-list-inside", "As good/assertion, with a PrefixList that names xs, which is declared inside the assertion."},
	{"J01/listed", "good/prefix-list-recipient", `As good/assertion, with a PrefixList that names the prefix "Recipient", which is declared nowhere.`},
	{"B31/sha1-allowed", "good/sha1-allowed", "As good/assertion, with a service provider that allows SHA-1."},
	{"B31/sha1-ecdsa", "good/ecdsa", "As good/assertion, signed with an ECDSA key."},
	{"B33/exponent-3-forged", "good/exponent-3", "As good/assertion, signed with an RSA key whose public exponent is 3."},
	{"B35/no-salt", "good/pss", "As good/assertion, signed with RSA-PSS."},
	{"B40", "good/encryption-key-listed", "As good/assertion, with metadata that lists another key for encryption."},
	{"C01/truncating", "good/long-name", "As good/assertion, about admin@example.com.attacker.example."},
	{"C05/looks-like-a-comment", "good/name-with-markup", "As good/assertion, about a name that has a comment's marks in it, escaped."},
	{"C22/decimal", "good/carriage-return", "As good/assertion, with a second attribute: address, whose value has a carriage return, written &#xD;."},
	{"C22/line-ends", "good/line-feed", "As good/assertion, with a second attribute: address, whose value has a line feed."},
	{"C22/normalised-attribute", "good/attribute-name", "As good/assertion, with a second attribute, whose Name has a blank."},
	{"D28/too-old", "good/max-authn-age", "As good/assertion, with a service provider that bounds how long ago the user authenticated."},
	{"D28/before-request", "good/force-authn", "As good/assertion, in answer to a request that asked for ForceAuthn."},
	{"D28/weaker", "good/authn-context", "As good/assertion, in answer to a request that asked for its AuthnContextClassRef."},
	{"D43/format", "good/name-id-format", "As good/assertion, in answer to a request that asked for its NameID Format."},
	{"E01/allowed-128", "good/cbc-allowed", "As good/assertion-encrypted, with a service provider that allows CBC."},
	{"E02/allowed", "good/rsa15-allowed", "As good/assertion-encrypted, with a service provider that allows RSA PKCS #1 v1.5."},
	{"J07/location", "good/metadata", "Good metadata of one identity provider with one key."},
	{"J08/neighbour-role", "good/metadata-aggregate", "Good metadata of two identity providers, of which one is asked for."},
	{"K12/neighbour", "good/metadata-aggregate-signed", "Good metadata of two identity providers, of which one is asked for, signed at its root."},
	{"K11/no-mark", "good/metadata-organization", "As good/metadata, with the organization's names, which have a letter that is not in ASCII."},
}

// twins finds for each case the accepted vector from which it differs by its
// attack alone: another case's, or a good message's.
type twins map[string]string // ids, by a document and its settings

// newTwins knows the accepted cases and the good messages.
func newTwins(t *testing.T) twins {
	t.Helper()
	w := make(twins)
	for _, c := range attack.Cases() {
		if c.Outcome.Accepted() {
			m, err := c.Make(repeatable(c, c.Needs))
			require.NoError(t, err, c.ID)
			w[settled(c.Needs, m)] = c.ID
		}
	}
	for _, c := range attack.Cases() {
		if g := goodOf(c.ID); g >= 0 {
			n, m := twinOf(t, c)
			w[settled(n, m)] = good[g].id // B38/absent, which has the same document, comes second
		}
	}
	return w
}

func (w twins) of(t *testing.T, c attack.Case) string {
	t.Helper()
	id := w[settled(twinOf(t, c))]
	require.NotEmpty(t, id, "no vector is the twin of %s; add a good one", c.ID)
	require.NotEqual(t, c.ID, id)
	return id
}

// twinOf is c's twin. Where what is needed is all that is odd, it is the message
// that needs nothing.
func twinOf(t *testing.T, c attack.Case) (attack.Needs, attack.Message) {
	t.Helper()
	n := c.TwinNeeds()
	if slices.Contains(sameDocument, c.ID) {
		n = attack.Needs{}
	}
	m, err := c.Twin(repeatable(c, n))
	require.NoError(t, err, c.ID)
	return n, m
}

// repeatable are params whose randomness is the same for all cases.
func repeatable(c attack.Case, n attack.Needs) attack.Params {
	p := params(c, n)
	p.Rand = rand.NewChaCha8([32]byte{})
	return p
}

// settled is a message with all that it takes to judge it.
func settled(n attack.Needs, m attack.Message) string {
	return string(vector(about{}, attack.Outcome{}, n, m)) + string(m.SAMLResponse)
}

func goodOf(id string) int {
	for i, g := range good {
		if g.of == id {
			return i
		}
	}
	return -1
}
