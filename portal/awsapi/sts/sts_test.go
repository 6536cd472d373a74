package sts_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/awsapi/internal/sigv4test"
	"github.com/meridian-saml/meridian/portal/awsapi/sts"
)

const body = "Action=GetCallerIdentity&Version=2011-06-15"

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func roles(t testing.TB) awsapi.SealedRoles {
	sealer, err := awsapi.NewSealer(bytes.Repeat([]byte{1}, 32))
	require.NoError(t, err)
	return awsapi.SealedRoles{
		Sealer: sealer, Instance: "ssoins-7223aaaabbbbcccc", Now: func() time.Time { return noon },
	}
}

func issue(t testing.TB) awsapi.RoleCredentials {
	c, err := roles(t).IssueRole(t.Context(), awsapi.RoleSession{
		Account: "111122223333", PermissionSet: "ReadOnly", RoleSuffix: "0123456789abcdef", UserID: "u-1",
		UserName: "alice@example.com", Region: "us-east-1", Expires: noon.Add(time.Hour),
	})
	require.NoError(t, err)
	return c
}

func call(t testing.TB, signer sigv4test.Signer, body string) *httptest.ResponseRecorder {
	t.Helper()
	service, err := sts.New(sts.Config{
		Region: "eu-central-1", Credentials: roles(t), Now: func() time.Time { return noon },
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	require.NoError(t, err)
	r := httptest.NewRequest("POST", "https://sts.eu-central-1.amazonaws.com/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	signer.Sign(r, []byte(body), noon)
	w := httptest.NewRecorder()
	service.ServeHTTP(w, r)
	return w
}

// Another Region's credentials, verified without that Region.
func TestCallerIdentity(t *testing.T) {
	c := issue(t)
	signer := sigv4test.Signer{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
		Region: "eu-central-1", Service: "sts",
	}
	w := call(t, signer, body)
	assert.Equal(t, 200, w.Code)
	assert.Regexp(t, `^<GetCallerIdentityResponse xmlns="https://sts\.amazonaws\.com/doc/2011-06-15/">`+
		`<GetCallerIdentityResult><Arn>arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_ReadOnly_0123456789abcdef/`+
		`alice@example\.com</Arn><UserId>AROA[A-Z2-7]{17}:alice@example\.com</UserId><Account>111122223333</Account>`+
		`</GetCallerIdentityResult><ResponseMetadata><RequestId>[0-9a-f-]{36}</RequestId></ResponseMetadata>`+
		`</GetCallerIdentityResponse>$`, w.Body.String())

	for name, change := range map[string]func(*sigv4test.Signer){
		"SignatureDoesNotMatch": func(s *sigv4test.Signer) { s.Region = "us-east-1" },
		"InvalidClientTokenId":  func(s *sigv4test.Signer) { s.SecretAccessKey = "x" },
		"IncompleteSignature":   func(s *sigv4test.Signer) { s.Unsigned = []string{"x-amz-security-token"} },
	} {
		other := signer
		change(&other)
		w := call(t, other, body)
		assert.Contains(t, w.Body.String(), "<Code>"+name+"</Code>")
		assert.Contains(t, []int{400, 403}, w.Code)
	}
	assert.Contains(t, call(t, signer, "Action=AssumeRole&Version=2011-06-15").Body.String(), "InvalidAction")
	w = call(t, signer, body+"&A="+strings.Repeat("x", 64<<10))
	assert.Equal(t, 413, w.Code)
}

func TestCredentialsAreRequired(t *testing.T) {
	_, err := sts.New(sts.Config{Region: "eu-central-1"})
	var e *awsapi.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, awsapi.ReasonConfig, e.Reason)
	_, err = sts.New(sts.Config{Credentials: roles(t)})
	require.ErrorAs(t, err, &e)
}

// A request costs two hashes of the body and the opening of a token, whether or not it is genuine.
func BenchmarkCallerIdentity(b *testing.B) {
	c := issue(b)
	signer := sigv4test.Signer{
		AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken,
		Region: "eu-central-1", Service: "sts",
	}
	for b.Loop() {
		call(b, signer, body)
	}
}
