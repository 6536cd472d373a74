package mockidp_test

import (
	"encoding/base64"
	"encoding/xml"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// twoApps are idc and pay. Alice may use both.
func twoApps() mockidp.Config {
	c := twoRegions()
	c.Apps = append(c.Apps, mockidp.App{ID: "pay", Label: "Payroll", Audience: "https://payroll.example",
		Groups: []string{"Engineering"},
		ACS:    []mockidp.ACS{{URL: "https://payroll.example/acs"}}})
	return c
}

// publishedBy returns the certificates in an app's metadata, in order.
func publishedBy(t *testing.T, metadata []byte) []string {
	t.Helper()
	var d struct {
		Certificates []string `xml:"IDPSSODescriptor>KeyDescriptor>KeyInfo>X509Data>X509Certificate"`
	}
	require.NoError(t, xml.Unmarshal(metadata, &d))
	return d.Certificates
}

// A rollover of one app, step by step, does not affect another.
func TestAppKeyRollover(t *testing.T) {
	idp := start(t, twoApps())
	der := func(k mockidp.Key) string { return base64.StdEncoding.EncodeToString(k.Certificate.Raw) }
	signs := func(app string) string {
		t.Helper()
		form, err := idp.IdPInitiated(app, alice, "")
		require.NoError(t, err)
		cert := text(t, decode(t, form), "./Signature//X509Certificate")
		xmlsecVerifiesWith(t, must(base64.StdEncoding.DecodeString(cert)), form)
		return cert
	}
	old := idp.Keys()[0]
	untouched := func() {
		t.Helper()
		assert.Equal(t, []string{der(old)}, publishedBy(t, idp.Metadata("idc")))
		assert.Equal(t, der(old), signs("idc"))
	}
	next, err := idp.AddAppKey("pay", ecdsaKey(), nil)
	require.NoError(t, err)
	assert.Len(t, idp.Keys(), 1, "not one of the Server's")
	assert.Equal(t, []string{der(old), der(next)}, publishedBy(t, idp.Metadata("pay")))
	assert.Equal(t, der(old), signs("pay"))
	untouched()
	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.SignAppWith("idc", next.ID)), "another app's")
	assert.Equal(t, mockidp.ReasonNoSuchKey, reason(t, idp.SignWith(next.ID)))
	assert.Equal(t, mockidp.ReasonNoSuchKey, reason(t, idp.RetireKey(next.ID)))

	require.NoError(t, idp.SignAppWith("pay", next.ID))
	assert.Equal(t, []string{der(next), der(old)}, publishedBy(t, idp.Metadata("pay")), "the one that signs comes first")
	assert.Equal(t, der(next), signs("pay"))
	untouched()
	keys, err := idp.AppKeys("pay")
	require.NoError(t, err)
	assert.Equal(t, []mockidp.Key{{ID: old.ID, Certificate: old.Certificate, Created: old.Created},
		{ID: next.ID, Certificate: next.Certificate, Created: next.Created, Signing: true}}, keys)

	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.RetireAppKey("pay", next.ID)), "it signs")
	require.NoError(t, idp.RetireAppKey("pay", old.ID))
	assert.Equal(t, []string{der(next)}, publishedBy(t, idp.Metadata("pay")))
	assert.Equal(t, mockidp.ReasonNoSuchKey, reason(t, idp.RetireAppKey("pay", old.ID)))
	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.SignAppWith("pay", old.ID)), "it was retired there")
	untouched()

	// The Server's keys still apply to all apps.
	third, err := idp.AddKey(otherKey(), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{der(next), der(third)}, publishedBy(t, idp.Metadata("pay")))
	assert.Equal(t, []string{der(old), der(third)}, publishedBy(t, idp.Metadata("idc")))
	require.NoError(t, idp.SignWith(third.ID))
	assert.Equal(t, []string{der(next), der(third)}, []string{signs("pay"), signs("idc")})
	require.NoError(t, idp.SignAppWith("pay", ""))
	assert.Equal(t, der(third), signs("pay"), "the Server's again")
	require.NoError(t, idp.RetireKey(old.ID))
	assert.Equal(t, []string{der(third)}, publishedBy(t, idp.Metadata("idc")))
	fourth, err := idp.AddKey(ecdsaKey(), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{der(third), der(next), der(fourth)}, publishedBy(t, idp.Metadata("pay")))
	require.NoError(t, idp.RetireKey(fourth.ID))
	assert.Equal(t, []string{der(third), der(next)}, publishedBy(t, idp.Metadata("pay")))

	idp.Reset()
	assert.Equal(t, []string{der(old)}, publishedBy(t, idp.Metadata("pay")))
	assert.Equal(t, der(old), signs("pay"))
}

// A key that was retired in an app is published again when the Server signs with it: an answer is never signed with a
// key that isn't in the metadata.
func TestSignWithKeyRetiredByApp(t *testing.T) {
	idp := start(t, twoApps())
	next, err := idp.AddKey(otherKey(), nil)
	require.NoError(t, err)
	require.NoError(t, idp.RetireAppKey("pay", next.ID))
	assert.Len(t, publishedBy(t, idp.Metadata("pay")), 1)
	require.NoError(t, idp.SignWith(next.ID))
	assert.Equal(t, base64.StdEncoding.EncodeToString(next.Certificate.Raw), publishedBy(t, idp.Metadata("pay"))[0])
}

func TestCloneKey(t *testing.T) {
	idp := start(t, twoApps())
	k, err := idp.AddAppKey("pay", ecdsaKey(), nil)
	require.NoError(t, err)
	clone, err := idp.CloneKey("pay", k.ID, "idc")
	require.NoError(t, err)
	assert.Equal(t, k, clone)
	require.NoError(t, idp.SignAppWith("idc", k.ID))
	require.NoError(t, idp.RetireAppKey("pay", k.ID))
	form, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	assert.Equal(t, base64.StdEncoding.EncodeToString(k.Certificate.Raw),
		text(t, decode(t, form), "./Signature//X509Certificate"))

	for why, c := range map[mockidp.Reason][3]string{
		mockidp.ReasonConfig:    {"idc", k.ID, "idc"}, // it exists
		mockidp.ReasonNoSuchKey: {"pay", k.ID, "idc"}, // it was retired
		mockidp.ReasonNoSuchApp: {"idc", k.ID, "none"},
		mockidp.ReasonNotSAML:   {"idc", k.ID, "mark"},
	} {
		_, err = idp.CloneKey(c[0], c[1], c[2])
		assert.Equal(t, why, reason(t, err))
	}
	_, err = idp.AppKeys("mark")
	assert.Equal(t, mockidp.ReasonNotSAML, reason(t, err))
	_, err = idp.AddAppKey("none", ecdsaKey(), nil)
	assert.Equal(t, mockidp.ReasonNoSuchApp, reason(t, err))
	_, err = idp.AddAppKey("pay", nil, k.Certificate)
	assert.Equal(t, mockidp.ReasonConfig, reason(t, err))
}

// An app keeps its keys when its ID changes, and loses them when it is removed.
func TestAppKeysFollowTheApp(t *testing.T) {
	idp := start(t, twoApps())
	k, err := idp.AddAppKey("pay", ecdsaKey(), nil)
	require.NoError(t, err)
	require.NoError(t, idp.SignAppWith("pay", k.ID))
	updateApp(t, idp, "pay", func(a *mockidp.App) { a.ID = "payroll" })
	keys, err := idp.AppKeys("payroll")
	require.NoError(t, err)
	assert.Len(t, keys, 2)
	app, _ := idp.App("payroll")
	require.NoError(t, idp.RemoveApp("payroll"))
	_, err = idp.AddApp(app)
	assert.Equal(t, mockidp.ReasonConfig, reason(t, err), "its key was removed with it")
	app.KeyID = ""
	_, err = idp.AddApp(app)
	require.NoError(t, err)
	keys, err = idp.AppKeys("payroll")
	require.NoError(t, err)
	assert.Len(t, keys, 1)
}

// The number of keys is bounded, for an app and for the Server, also under concurrent calls.
func TestKeysAreBounded(t *testing.T) {
	idp := start(t, twoApps())
	var wg sync.WaitGroup
	var mu sync.Mutex
	refused := map[bool]int{}
	for range 30 {
		wg.Go(func() {
			_, err := idp.AddAppKey("pay", ecdsaKey(), nil) // a new certificate each time
			mu.Lock()
			defer mu.Unlock()
			refused[err != nil]++
		})
	}
	wg.Wait()
	assert.Equal(t, map[bool]int{true: 11, false: 19}, refused, "with the Server's it is 20")
	_, err := idp.AddAppKey("idc", ecdsaKey(), nil)
	require.NoError(t, err, "the other app has room")
	for range 19 {
		_, err = idp.AddKey(ecdsaKey(), nil)
		require.NoError(t, err)
	}
	_, err = idp.AddKey(ecdsaKey(), nil)
	assert.Equal(t, mockidp.ReasonConfig, reason(t, err))
}

// Two apps switch keys while both sign: each answer is signed with a key in the app's metadata.
func TestConcurrentAppKeyRollovers(t *testing.T) {
	idp := start(t, twoApps())
	var wg sync.WaitGroup
	for _, app := range []string{"idc", "pay"} {
		k, err := idp.AddAppKey(app, ecdsaKey(), nil)
		require.NoError(t, err)
		for range 3 {
			wg.Go(func() {
				for i := range 20 {
					assert.NoError(t, idp.SignAppWith(app, []string{k.ID, ""}[i%2]))
					form, err := idp.IdPInitiated(app, alice, "")
					if assert.NoError(t, err) {
						assert.Contains(t, publishedBy(t, idp.Metadata(app)), text(t, decode(t, form), "./Signature//X509Certificate"))
					}
				}
			})
		}
	}
	wg.Wait()
}
