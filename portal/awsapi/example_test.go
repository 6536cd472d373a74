package awsapi_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/portal/awsapi"
)

// A service of one operation, as the AWS SDKs call it.
func Example() {
	greet := func(_ context.Context, _ *awsapi.Call, in struct {
		Name string `json:"name"`
	}) (any, error) {
		if in.Name == "" {
			return nil, &awsapi.Exception{Name: "InvalidRequestException", Message: "A name is required"}
		}
		return map[string]string{"greeting": "Hello, " + in.Name}, nil
	}
	service, err := awsapi.New(awsapi.Config{
		Name: "example", Region: "eu-central-1",
		Operations: map[string]awsapi.Handler{"POST /greeting": awsapi.Typed(greet)},
		Logger:     slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, body := range []string{`{"name":"Alice"}`, `{}`, `{"name":"Alice","name":"Bob"}`} {
		w := httptest.NewRecorder()
		service.ServeHTTP(w, httptest.NewRequest("POST", "/greeting", strings.NewReader(body)))
		fmt.Println(w.Code, w.Body.String())
	}
	// Output:
	// 200 {"greeting":"Hello, Alice"}
	// 400 {"__type":"InvalidRequestException","message":"A name is required"}
	// 400 {"__type":"InvalidRequestException","message":"body: want members with different names"}
}

// Credentials that one Region issues are valid in every Region that has the same key.
func ExampleSealedRoles() {
	key := make([]byte, 32)
	rand.Read(key)
	sealer, err := awsapi.NewSealer(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	virginia := awsapi.SealedRoles{Sealer: sealer, Instance: "ssoins-7223aaaabbbbcccc"}
	credentials, err := virginia.IssueRole(ctx, awsapi.RoleSession{
		Account: "111122223333", PermissionSet: "ReadOnly", RoleSuffix: "0123456789abcdef",
		UserID: "u-1", UserName: "alice@example.com", Region: "us-east-1", Expires: time.Now().Add(time.Hour),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	frankfurt := awsapi.SealedRoles{Sealer: sealer, Instance: "ssoins-7223aaaabbbbcccc"}
	secret, caller, err := frankfurt.Credential(ctx, credentials.AccessKeyID, credentials.SessionToken)
	fmt.Println(secret == credentials.SecretAccessKey, caller.ARN, err)
	// Output:
	// true arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_ReadOnly_0123456789abcdef/alice@example.com <nil>
}
