package configfile_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/configfile"
)

// filler sets every field that a file has to a value of its own.
type filler struct {
	n    int
	key  crypto.Signer
	cert *x509.Certificate
}

func newFiller(t *testing.T) *filler {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(7)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &filler{key: key, cert: cert}
}

func (f *filler) fill(v reflect.Value) {
	f.n++
	switch v.Type() {
	case reflect.TypeFor[crypto.Signer]():
		v.Set(reflect.ValueOf(f.key))
		return
	case reflect.TypeFor[*x509.Certificate]():
		v.Set(reflect.ValueOf(f.cert))
		return
	case reflect.TypeFor[time.Duration]():
		v.SetInt(int64(f.n) * int64(time.Millisecond))
		return
	}
	if all := configfile.Words(v.Type()); all != nil {
		v.SetInt(int64(len(all) - 1))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type() != reflect.TypeFor[mockidp.Config]() || !slices.Contains(configfile.Outside(), v.Type().Field(i).Name) {
				f.fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(v.Index(0))
		f.fill(v.Index(1))
	case reflect.Array:
		f.fill(v.Index(v.Len() - 2))
	case reflect.Map:
		x := reflect.New(v.Type().Elem()).Elem()
		f.fill(x)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("a <b> \"é\""), x)
		v.SetMapIndex(reflect.ValueOf("none"), reflect.Zero(v.Type().Elem()))
	case reflect.String:
		v.SetString(fmt.Sprintf("ü<&>\"%d\n", f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(float64(f.n) / 7)
	default:
		if v.CanUint() {
			v.SetUint(uint64(f.n))
		} else {
			v.SetInt(int64(f.n))
		}
	}
}

func TestEveryFieldSurvives(t *testing.T) {
	var full mockidp.Config
	newFiller(t).fill(reflect.ValueOf(&full).Elem())
	for name, c := range map[string]mockidp.Config{"full": full, "zero": {}, "pointers to zero": {Apps: []mockidp.App{{
		IdentityCenter: &mockidp.IdentityCenter{}, GroupAttribute: &mockidp.GroupAttribute{},
		Encrypt: &mockidp.Encryption{}, ACS: []mockidp.ACS{{Index: new(uint16(0))}}}}}} {
		doc, err := configfile.Write(c, configfile.Options{PrivateKeys: true})
		require.NoError(t, err, name)
		got, err := configfile.Read(doc)
		require.NoError(t, err, "%s", doc)
		require.Equal(t, c, got, "%s", doc)
		again, err := configfile.Write(got, configfile.Options{PrivateKeys: true})
		require.NoError(t, err)
		require.Equal(t, string(doc), string(again))
	}
	doc, err := configfile.Write(mockidp.Config{}, configfile.Options{})
	require.NoError(t, err)
	require.Equal(t, "{}\n", string(doc))
}

// What the file can't have is a list in the package, so a new field of mockidp.Config that isn't on it is in the file.
func TestTheRestIsCode(t *testing.T) {
	config := reflect.TypeFor[mockidp.Config]()
	for _, name := range configfile.Outside() {
		_, ok := config.FieldByName(name)
		require.True(t, ok, "%s is no field of mockidp.Config", name)
	}
	names, _ := configfile.Keys(config)
	require.Equal(t, config.NumField(), len(names)+len(configfile.Outside()))
}

func TestPrivateKeysAreWrittenOnRequestOnly(t *testing.T) {
	var c mockidp.Config
	newFiller(t).fill(reflect.ValueOf(&c).Elem())
	before := c.Apps[0].KeyID
	doc, err := configfile.Write(c, configfile.Options{})
	require.NoError(t, err)
	require.NotContains(t, string(doc), "PRIVATE KEY")
	require.NotContains(t, string(doc), "keyID")
	require.Equal(t, before, c.Apps[0].KeyID, "the caller's Config changed")
	got, err := configfile.Read(doc)
	require.NoError(t, err)
	require.Nil(t, got.Key)
	require.NotEmpty(t, got.Apps[0].RequestCertificates)
}

type hardware struct{ crypto.Signer }

func TestWriteRefusesWhatCantBeRead(t *testing.T) {
	for name, c := range map[string]mockidp.Config{
		"key":    {Key: hardware{}},
		"word":   {Apps: []mockidp.App{{Label: "x", Sign: 9}}},
		"text":   {Org: "\xff"},
		"number": {Faults: []mockidp.Fault{{Chance: nan()}}},
	} {
		_, err := configfile.Write(c, configfile.Options{PrivateKeys: true})
		var e *mockidp.Error
		require.ErrorAs(t, err, &e, name)
		require.Equal(t, mockidp.ReasonConfig, e.Reason)
	}
}

func nan() float64 {
	zero := 0.0
	return zero / zero
}

func TestErrorsNameLineAndKey(t *testing.T) {
	for doc, want := range map[string]string{
		"":                              "line 1: the JSON ends too early",
		"{":                             "line 1: the JSON ends too early",
		"{\n\n\"users\": [}":            "line 3: users",
		"[]":                            "line 1: want an object, got a list",
		"{} {}":                         "line 1: unexpected data",
		"{\n}\n\nx":                     "line 4: unexpected data",
		"{\n\n\"user\": []}":            `line 3: the configuration: unknown field "user"`,
		`{"Users": []}`:                 `unknown field "Users"; want "users"`,
		"{\"org\": \"a\",\n\"org\": 1}": "line 2: org: the key occurs twice",
		"{\"apps\": [{},\n{\"acs\": [{\"url\": 7}]}]}":                      "line 2: apps[1].acs[0].url: want text, got 7",
		"{\"apps\": [{\n\"acss\": []}]}":                                    `line 2: apps[0]: unknown field "acss"`,
		`{"apps": [{"sign": "none"}]}`:                                      `apps[0].sign: want one of ["both" "response" "assertion" "artifactResponse"], got "none"`,
		`{"apps": [{"sign": 1}]}`:                                           "apps[0].sign: want text, got 1",
		`{"apps": {}}`:                                                      "apps: want a list, got an object",
		`{"apps": [{"acs": [{"index": 65536}]}]}`:                           "apps[0].acs[0].index: the number 65536",
		`{"apps": [{"acs": [{"index": -1}]}]}`:                              "apps[0].acs[0].index: the number -1",
		`{"maxFailures": 1.5}`:                                              "maxFailures: the number 1.5",
		`{"maxFailures": "1"}`:                                              `maxFailures: want a number, got "1"`,
		`{"strict": "yes"}`:                                                 `strict: want true or false, got "yes"`,
		`{"sessionLifetime": "soon"}`:                                       `sessionLifetime: time: invalid duration "soon"`,
		`{"certificate": "x"}`:                                              "certificate: want a certificate in PEM",
		`{"key": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"}`: "key: want a private key in PEM, got the block",
		`{"users": [{"attributes": {"a b": "c"}}]}`:                         `users[0].attributes."a b": want a list`,
		`{"users": [{"attributes": {"a": [], "a": []}}]}`:                   "users[0].attributes.a: the key occurs twice",
		`{"apps": [{"identityCenter": {"acsURLs": [` + strings.Repeat(`"",`, 17) + `""]}}]}`: "acsURLs: want at most 17 values",
		"{\"org\": \"\xff\"}":             "not UTF-8",
		"{\"org\" \"a\"}":                 "line 1: org: invalid JSON",
		strings.Repeat(" ", 8<<20) + "{}": "over 8 MiB",
	} {
		c, err := configfile.Read([]byte(doc))
		var e *mockidp.Error
		if assert.ErrorAs(t, err, &e, doc) {
			assert.Equal(t, mockidp.ReasonConfig, e.Reason)
			assert.Contains(t, err.Error(), want, doc)
		}
		assert.Equal(t, mockidp.Config{}, c)
	}
}

func TestNullAndEmptyAreZero(t *testing.T) {
	c, err := configfile.Read([]byte("\xef\xbb\xbf" + `{"org": null, "apps": null, "key": null, "certificate": "",
		"users": [null], "faults": [], "sessionLifetime": ""}`))
	require.NoError(t, err)
	require.Equal(t, mockidp.Config{Users: []mockidp.User{{}}}, c)
}

// An exported configuration makes the same server.
func TestSampleFile(t *testing.T) {
	doc, err := os.ReadFile("../../examples/mockidp/config.json")
	require.NoError(t, err)
	c, err := configfile.Read(doc)
	require.NoError(t, err)
	idp, err := mockidp.Open(c)
	require.NoError(t, err)
	require.Len(t, idp.Apps(), 4)
	payroll := idp.Apps()[2]
	require.Equal(t, mockidp.SignAssertion, payroll.Sign)
	require.Equal(t, 8*time.Hour, payroll.SessionLifetime)
	require.Equal(t, uint16(7), *payroll.ACS[1].Index)
	require.Equal(t, "http://eu-central-1.localhost:8712/platform/saml/acs/4455", idp.Apps()[0].IdentityCenter.ACSURLs[0])
}
