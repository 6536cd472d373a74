package sts_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"

	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/awsapi/sts"
)

// Any AWS SDK or the AWS CLI calls the handler, with credentials that package access issued.
func Example() {
	key := make([]byte, 32)
	rand.Read(key)
	sealer, err := awsapi.NewSealer(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	handler, err := sts.New(sts.Config{
		Region:      "eu-central-1",
		Credentials: awsapi.SealedRoles{Sealer: sealer, Instance: "ssoins-7223aaaabbbbcccc"},
		Logger:      slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := httptest.NewRequest("POST", "/", strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	fmt.Println(w.Code, strings.Contains(w.Body.String(), "<Code>MissingAuthenticationToken</Code>"))
	// Output: 403 true
}
