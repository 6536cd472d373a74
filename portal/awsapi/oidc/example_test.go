package oidc_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/awsapi"
	"github.com/meridian-saml/meridian/portal/awsapi/oidc"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

// A program signs a user in, as AWS's command line does, and the user allows it at the portal.
func ExampleNew() {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	p, store := examplePortal(idp)
	sealer, err := awsapi.NewSealer([]byte("0123456789abcdef0123456789abcdef")) // use 32 random bytes
	check(err)
	clients, err := oidc.New(oidc.Config{Portal: p, Store: store, Sealer: sealer, Instance: "ssoins-7223aaaabbbbcccc"})
	check(err)

	// The program registers, and sends the user's browser to /authorize.
	registration := post(clients, "/client/register", map[string]any{
		"clientName": "botocore-client-primary", "clientType": "public", "grantTypes": []string{"authorization_code"},
		"redirectUris": []string{"http://127.0.0.1/oauth/callback"}, "issuerUrl": "https://us-east-1.portal.example",
	})
	verifier := strings.Repeat("random", 8)
	hash := sha256.Sum256([]byte(verifier))
	redirect := "http://127.0.0.1:45999/oauth/callback"
	authorize := "https://oidc.us-east-1.example/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {registration["clientId"].(string)}, "redirect_uri": {redirect},
		"state": {"random"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(hash[:])},
	}.Encode()

	// The user signs in at the identity provider, reads the question, and allows it.
	browser := testkit.NewBrowser(context.Background())
	browser.Transport = testkit.Handlers{"us-east-1.portal.example": clients.Pages(), "oidc.us-east-1.example": clients}
	browser.Stay = func(to *url.URL) bool { return to.Path == "/oauth/callback" }
	page, err := browser.SignInAs(idp, authorize, mockidp.DefaultLogin)
	check(err)
	form, _ := page.FormFor("/client")
	page, err = browser.Submit(page, form, url.Values{"answer": {"allow"}})
	check(err)
	answer, err := url.Parse(page.Location())
	check(err)

	// The program gets the code, and tokens for it.
	tokens := post(clients, "/token", map[string]any{
		"clientId": registration["clientId"], "clientSecret": registration["clientSecret"],
		"grantType": "authorization_code", "code": answer.Query().Get("code"), "codeVerifier": verifier,
		"redirectUri": redirect,
	})
	grant, err := clients.Grant(context.Background(), tokens["accessToken"].(string))
	check(err)
	fmt.Println(grant.UserName, grant.Scopes, tokens["expiresIn"])
	// Output: alice@example.com [sso:account:access] 3600
}

func examplePortal(idp *mockidp.Server) (*portal.Portal, acs.Store) {
	md, err := saml.ParseIdPMetadata(idp.Metadata(""))
	check(err)
	sp, err := saml.New(saml.Config{EntityID: "https://us-east-1.portal.example/saml", IdP: md, ACS: []saml.Endpoint{
		{URL: "https://us-east-1.portal.example/saml/acs", Region: "us-east-1"},
	}})
	check(err)
	metadata, err := sp.Metadata()
	check(err)
	check(idp.RegisterSP("", metadata))
	inst, err := center.New(center.Data{
		Regions: []center.Region{{Name: "us-east-1", PortalURLs: []string{"https://us-east-1.portal.example"}}},
		Users:   []center.User{{UserName: mockidp.DefaultLogin}},
	})
	check(err)
	view, err := inst.In("us-east-1")
	check(err)
	store := acs.NewMemoryStore(acs.MemoryConfig{})
	p, err := portal.New(portal.Config{Region: "us-east-1", SP: sp, Directory: view, Store: store})
	check(err)
	return p, store
}

func post(api http.Handler, path string, in any) (out map[string]any) {
	body, err := json.Marshal(in)
	check(err)
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(body))))
	check(json.Unmarshal(w.Body.Bytes(), &out))
	return out
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
