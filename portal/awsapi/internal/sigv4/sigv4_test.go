package sigv4_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/awsapi/internal/sigv4"
	"github.com/meridian-saml/meridian/portal/awsapi/internal/sigv4test"
)

var (
	noon  = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	scope = sigv4.Scope{
		Region: "eu-central-1", Service: "sts", Skew: 5 * time.Minute, Signed: []string{"x-amz-target"},
	}
	signer = sigv4test.Signer{
		AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret", SessionToken: "token", Region: "eu-central-1",
		Service: "sts",
	}
)

const body = "Action=GetCallerIdentity&Version=2011-06-15"

func request() *http.Request {
	r := httptest.NewRequest(http.MethodPost, "https://sts.eu-central-1.amazonaws.com/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("X-Amz-Target", "Service.Operation")
	return r
}

// The example in AWS's documentation of the signing process.
func TestTheDocumentedExample(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "+
		"SignedHeaders=content-type;host;x-amz-date, "+
		"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	signed, err := sigv4.Parse(r, nil, sigv4.Scope{Region: "us-east-1", Service: "iam", Skew: time.Minute}, at)
	require.NoError(t, err)
	assert.Equal(t, "AKIDEXAMPLE", signed.AccessKeyID)
	assert.True(t, signed.Verify("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
	assert.False(t, signed.Verify("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEy"))
}

// Each change of a signed request makes the signature wrong.
func TestChangesBreakTheSignature(t *testing.T) {
	verify := func(t *testing.T, change func(*http.Request) string) bool {
		r := request()
		signer.Sign(r, []byte(body), noon)
		sent := body
		if change != nil {
			sent = change(r)
		}
		signed, err := sigv4.Parse(r, []byte(sent), scope, noon)
		require.NoError(t, err)
		assert.Equal(t, "ASIAEXAMPLE", signed.AccessKeyID)
		return signed.Verify("secret")
	}
	assert.True(t, verify(t, nil))
	for name, change := range map[string]func(*http.Request) string{
		"method":  func(r *http.Request) string { r.Method = http.MethodPut; return body },
		"path":    func(r *http.Request) string { r.URL.Path = "/x"; return body },
		"query":   func(r *http.Request) string { r.URL.RawQuery = "a=b"; return body },
		"host":    func(r *http.Request) string { r.Host = "sts.us-east-1.amazonaws.com"; return body },
		"port":    func(r *http.Request) string { r.Host += ":8443"; return body },
		"header":  func(r *http.Request) string { r.Header.Set("X-Amz-Target", "Service.Other"); return body },
		"token":   func(r *http.Request) string { r.Header.Set("X-Amz-Security-Token", "other"); return body },
		"body":    func(*http.Request) string { return body + "&A=B" },
		"no body": func(*http.Request) string { return "" },
		"time":    func(r *http.Request) string { r.Header.Set("X-Amz-Date", "20261130T120001Z"); return body },
	} {
		t.Run(name, func(t *testing.T) { assert.False(t, verify(t, change)) })
	}
}

// What recomputing a signature alone would accept.
func TestOtherConditions(t *testing.T) {
	other := func(change func(*sigv4test.Signer)) sigv4test.Signer {
		s := signer
		change(&s)
		return s
	}
	replace := func(old, with string) func(*http.Request) {
		return func(r *http.Request) {
			auth := r.Header.Get("Authorization")
			r.Header.Set("Authorization", strings.Replace(auth, old, with, 1))
		}
	}
	for name, c := range map[string]struct {
		signer sigv4test.Signer
		at     time.Time
		spoil  func(*http.Request)
		want   sigv4.Reason // empty: accepted
	}{
		"signed":             {signer, noon, nil, ""},
		"five minutes old":   {signer, noon.Add(-5 * time.Minute), nil, ""},
		"five minutes early": {signer, noon.Add(5 * time.Minute), nil, ""},
		"six minutes old":    {signer, noon.Add(-6 * time.Minute), nil, sigv4.ReasonTime},
		"six minutes early":  {signer, noon.Add(6 * time.Minute), nil, sigv4.ReasonTime},
		"a day old":          {signer, noon.Add(-24 * time.Hour), nil, sigv4.ReasonTime},
		"another Region": {
			other(func(s *sigv4test.Signer) { s.Region = "us-east-1" }), noon, nil, sigv4.ReasonScope,
		},
		"another service": {
			other(func(s *sigv4test.Signer) { s.Service = "sso" }), noon, nil, sigv4.ReasonScope,
		},
		"another day in the scope": {signer, noon, replace("/20261130/", "/20261129/"), sigv4.ReasonScope},
		"unsigned host": {
			other(func(s *sigv4test.Signer) { s.Unsigned = []string{"host"} }), noon, nil, sigv4.ReasonUnsigned,
		},
		"unsigned date": {
			other(func(s *sigv4test.Signer) { s.Unsigned = []string{"x-amz-date"} }), noon, nil, sigv4.ReasonUnsigned,
		},
		"unsigned target": {
			other(func(s *sigv4test.Signer) { s.Unsigned = []string{"x-amz-target"} }), noon, nil, sigv4.ReasonUnsigned,
		},
		"unsigned token": {
			other(func(s *sigv4test.Signer) { s.Unsigned = []string{"x-amz-security-token"} }), noon, nil,
			sigv4.ReasonUnsigned,
		},
		"unsigned content type": {
			other(func(s *sigv4test.Signer) { s.Unsigned = []string{"content-type"} }), noon, nil, "",
		},
		"two targets": {signer, noon, func(r *http.Request) { r.Header.Add("X-Amz-Target", "B") }, sigv4.ReasonMalformed},
		"two dates":   {signer, noon, func(r *http.Request) { r.Header.Add("X-Amz-Date", "B") }, sigv4.ReasonMalformed},
		"two tokens": {
			signer, noon, func(r *http.Request) { r.Header.Add("X-Amz-Security-Token", "B") }, sigv4.ReasonMalformed,
		},
		"two signatures": {
			signer, noon, func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) },
			sigv4.ReasonMalformed,
		},
		"no date":      {signer, noon, func(r *http.Request) { r.Header.Del("X-Amz-Date") }, sigv4.ReasonMalformed},
		"no signature": {signer, noon, func(r *http.Request) { r.Header.Del("Authorization") }, sigv4.ReasonMissing},
		"a bearer token": {
			signer, noon, func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, sigv4.ReasonMissing,
		},
		"another algorithm": {signer, noon, replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), sigv4.ReasonMissing},
		"algorithm of several Regions": {
			signer, noon, replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), sigv4.ReasonMissing,
		},
		"another scope's end": {signer, noon, replace("aws4_request", "aws4_other"), sigv4.ReasonMalformed},
		"a missing header":    {signer, noon, replace("content-type;", "content-tzpe;"), sigv4.ReasonMalformed},
		"unsorted headers":    {signer, noon, replace("content-type;host", "host;content-type"), sigv4.ReasonMalformed},
		"a header twice":      {signer, noon, replace("host;", "host;host;"), sigv4.ReasonMalformed},
		"upper case":          {signer, noon, replace("content-type", "Content-Type"), sigv4.ReasonMalformed},
		"a short signature":   {signer, noon, replace("Signature=", "Signature=,X="), sigv4.ReasonMalformed},
		"a part twice":        {signer, noon, replace("Signature=", "Signature=00, Signature="), sigv4.ReasonMalformed},
		"the wrong hash": {
			signer, noon, func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") },
			sigv4.ReasonBody,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := request()
			c.signer.Sign(r, []byte(body), c.at)
			if c.spoil != nil {
				c.spoil(r)
			}
			signed, err := sigv4.Parse(r, []byte(body), scope, noon)
			if c.want == "" {
				require.NoError(t, err)
				assert.True(t, signed.Verify("secret"))
				return
			}
			var e *sigv4.Error
			require.ErrorAs(t, err, &e)
			assert.Nil(t, signed)
			assert.Equal(t, c.want, e.Reason, "%v", err)
		})
	}
}

// No request makes the parser fail, and none is accepted with a secret that isn't its own.
func FuzzParse(f *testing.F) {
	r := request()
	signer.Sign(r, []byte(body), noon)
	f.Add(r.Header.Get("Authorization"), "20261130T120000Z", "token", "/", "a=b", body)
	f.Add("AWS4-HMAC-SHA256 Credential=/20261130/eu-central-1/sts/aws4_request, SignedHeaders=host, Signature=00",
		"20261130T120000Z", "", "/%2f/../", "a=%zz&&=", "")
	f.Fuzz(func(t *testing.T, auth, date, token, path, query, body string) {
		r := request()
		r.URL.Path, r.URL.RawQuery = path, query
		r.Header.Set("Authorization", auth)
		r.Header.Set("X-Amz-Date", date)
		r.Header.Set("X-Amz-Security-Token", token)
		signed, err := sigv4.Parse(r, []byte(body), scope, noon)
		if err != nil {
			var e *sigv4.Error
			require.ErrorAs(t, err, &e)
			require.Nil(t, signed)
			return
		}
		require.NotEmpty(t, signed.AccessKeyID)
		require.False(t, signed.Verify("a secret that signed nothing"))
		again, err := sigv4.Parse(r, []byte(body), scope, noon)
		require.NoError(t, err)
		require.Equal(t, signed, again)
	})
}
