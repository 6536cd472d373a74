package mockidp_test

import (
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// dice is a random source whose reads can fail.
type dice struct{ broken atomic.Bool }

func (d *dice) Read(b []byte) (int, error) {
	if d.broken.Load() {
		return 0, errors.New("out of dice")
	}
	return rand.Read(b)
}

// If the random source fails, no user is signed in, no answer is made, and the pages report it. Later requests
// succeed again.
func TestFailingRandomSource(t *testing.T) {
	d := &dice{}
	conf := withFactor()
	conf.Rand = d
	idp := start(t, conf)
	b, signedIn := newBrowser(t, idp), newBrowser(t, idp)
	signedIn.verify(signedIn.signIn(signedIn.get(idp.SignInURL()), alice, mockidp.DefaultPassword), "246810")
	form := b.get(redirect(idp, request(), "s"))
	factor := b.signIn(form, alice, mockidp.DefaultPassword)
	cancel := form.fields()

	d.broken.Store(true)
	internal := func(p page) { t.Helper(); p.refused(t, 500, mockidp.ReasonInternal) }
	internal(newBrowser(t, idp).get(redirect(idp, request(),
		"s"))) // a pending sign-in
	internal(b.post(idp.SSOURL("idc"),
		postForm(request()))) // the same, posted
	internal(b.signIn(form, bob, "bob's own")) // a session
	internal(b.signIn(form, alice,
		mockidp.DefaultPassword)) // a second factor's page
	internal(b.verify(factor,
		"246810")) // a session after it
	internal(b.post(idp.URL+"/login/cancel",
		cancel)) // an error status
	internal(signedIn.get(redirect(idp, request(), "s"))) // an answer
	internal(signedIn.get(idp.TileURL("idc")))            // an unsolicited answer
	internal(signedIn.get(redirect(idp, request(attr("ForceAuthn", "true"), attr("IsPassive", "true")),
		""))) // a refusal by status
	_, err := idp.Answer(redirect(idp, request(), ""), alice)
	assert.Equal(t, mockidp.ReasonInternal, reason(t, err))
	_, err = idp.IdPInitiated("idc", alice, "")
	assert.Equal(t, mockidp.ReasonInternal, reason(t, err))
	_, err = idp.AddKey(ecdsaKey(), nil)
	assert.Equal(t, mockidp.ReasonInternal, reason(t, err), "a serial number")
	for _, m := range idp.Messages() {
		assert.Equal(t, mockidp.Received, m.Direction)
	}

	d.broken.Store(false)
	assert.NotNil(t, decode(t, signedIn.get(redirect(idp, request(), "s")).answer(t)).SelectElement("Assertion"))
	assert.Len(t, idp.Keys(), 1)
}

func TestOpenWithoutRandomSource(t *testing.T) {
	d := &dice{}
	d.broken.Store(true)
	conf := twoRegions()
	conf.Rand = d
	_, err := mockidp.Open(conf)
	assert.Equal(t, mockidp.ReasonInternal, reason(t, err), "the certificate's serial number")
	conf.OddPaths = true
	conf.Certificate = start(t, twoRegions()).Certificate()
	_, err = mockidp.Open(conf)
	assert.Equal(t, mockidp.ReasonInternal, reason(t, err), "the paths")
}

// hsm is a key whose signatures a test can replace, like a faulty hardware key.
type hsm struct {
	crypto.Signer
	sign atomic.Pointer[func() ([]byte, error)]
}

func (h *hsm) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if f := h.sign.Load(); f != nil {
		return (*f)()
	}
	return h.Signer.Sign(random, digest, opts)
}

// No answer is sent if the key fails, or if its signature is invalid.
func TestFailingKey(t *testing.T) {
	type pair struct{ R, S *big.Int }
	big300 := new(big.Int).Lsh(big.NewInt(1), 300)
	signature := func(r, s *big.Int, rest ...byte) func() ([]byte, error) {
		return func() ([]byte, error) { return append(must(asn1.Marshal(pair{r, s})), rest...), nil }
	}
	one := big.NewInt(1)
	for name, sign := range map[string]func() ([]byte, error){
		"fails":      func() ([]byte, error) { return nil, errors.New("unplugged") },
		"no ASN.1":   func() ([]byte, error) { return []byte("signed"), nil },
		"more of it": signature(one, one, 0),
		"negative":   signature(one, big.NewInt(-1)),
		"zero":       signature(new(big.Int), one),
		"too large":  signature(one, big300),
	} {
		t.Run(name, func(t *testing.T) {
			key := &hsm{Signer: ecdsaKey()}
			conf := twoRegions()
			conf.Key = key
			idp := start(t, conf) // the key still signs its certificate
			key.sign.Store(&sign)
			b := newBrowser(t, idp)
			b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
			b.get(redirect(idp, request(), "s")).refused(t, 500, mockidp.ReasonInternal)
			_, err := idp.IdPInitiated("idc", alice, "")
			assert.Equal(t, mockidp.ReasonInternal, reason(t, err))
			require.NoError(t, idp.QueueError("idc", mockidp.Status{}))
			b.get(redirect(idp, request(), "s")).refused(t, 500, mockidp.ReasonInternal)
			for _, m := range idp.Messages() {
				assert.NotEqual(t, mockidp.Sent, m.Direction)
			}

			key.sign.Store(nil)
			form, err := idp.IdPInitiated("idc", alice, "")
			require.NoError(t, err)
			assert.Len(t, decode(t, form).FindElements("//Signature"), 2)
		})
	}
}

// A small signature is padded to the width of its curve (XML Signature 1.1, 6.4.3).
func TestSmallECDSASignaturesArePadded(t *testing.T) {
	key := &hsm{Signer: ecdsaKey()}
	conf := twoRegions()
	conf.Key = key
	idp := start(t, conf)
	small := func() ([]byte, error) {
		return asn1.Marshal(struct{ R, S *big.Int }{big.NewInt(1), big.NewInt(2)})
	}
	key.sign.Store(&small)
	form, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	want := make([]byte, 64)
	want[31], want[63] = 1, 2
	for _, v := range decode(t, form).FindElements("//SignatureValue") {
		assert.Equal(t, base64.StdEncoding.EncodeToString(want), v.Text())
	}
}

// Each Reason has an HTTP status, and the page names the Reason.
func TestRefusalsHaveAStatus(t *testing.T) {
	idp := start(t, withFactor())
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), bob, "bob's own")
	for _, c := range []struct {
		page   page
		status int
		why    mockidp.Reason
	}{
		{b.get(idp.URL + "/app/none/none/sso/saml"), 404, mockidp.ReasonNoSuchApp},
		{b.get(idp.URL + "/app/none/sso/saml/metadata"), 404, mockidp.ReasonNoSuchApp},
		{b.get(idp.URL + "/mockidp/app/none"), 404, mockidp.ReasonNoSuchApp},
		{b.get(idp.URL + "/mockidp/app/idc"), 403, mockidp.ReasonNotAssigned},
		{b.get(idp.TileURL("mark")), 403, mockidp.ReasonNotAssigned},
		{b.get(idp.URL + "/login/continue?pending=none"), 404, mockidp.ReasonRequestNotFound},
		{b.post(idp.URL+"/login/cancel", url.Values{"pending": {"none"}}), 404, mockidp.ReasonRequestNotFound},
		{b.post(idp.URL+"/login/second-factor", url.Values{"factor": {"none"}}), 404, mockidp.ReasonRequestNotFound},
		{b.get(idp.SSOURL("idc") + "?SAMLRequest=%25"), 400, mockidp.ReasonMalformed},
		{b.post(idp.SSOURL("idc"), url.Values{"SAMLRequest": {strings.Repeat("A", mockidp.MaxRequest)}}), 413,
			mockidp.ReasonTooLarge},
	} {
		c.page.refused(t, c.status, c.why)
		assert.Contains(t, c.page.Header.Get("Content-Security-Policy"), "default-src 'none'", c.why)
		assert.Equal(t, "no-store", c.page.Header.Get("Cache-Control"), c.why)
		assert.Equal(t, "nosniff", c.page.Header.Get("X-Content-Type-Options"), c.why)
	}
	updateApp(t, idp, "idc", func(a *mockidp.App) { a.Users, a.NameIDTemplate = []string{bob}, "${user.badge}" })
	b.get(idp.TileURL("idc")).refused(t, http.StatusInternalServerError, mockidp.ReasonNameID)
}

// An error is one line of at most a few hundred bytes, whatever its cause.
func TestErrorsAreShortAndUnwrap(t *testing.T) {
	under := &mockidp.Error{Reason: mockidp.ReasonMalformed, Detail: "not this " + strings.Repeat("ä", 500)}
	e := &mockidp.Error{Reason: mockidp.ReasonConfig, Detail: "no", Want: "a\n<b>", Got: strings.Repeat("x", 1000),
		Err: under}
	said := e.Error()
	assert.True(t, strings.HasPrefix(said, `mockidp: no: want "a\n<b>", got "xxx`), said)
	assert.Contains(t, said, ": not this ä", "the prefix is said once")
	assert.NotContains(t, said, "\uFFFD", "cut between characters")
	assert.Less(t, len(said), 600)
	assert.ErrorIs(t, e, under)
	assert.NoError(t, errors.Unwrap(under))
}
