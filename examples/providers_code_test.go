package examples_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/discovery"
	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/saml"
)

// The code blocks of PROVIDERS.md are the bodies of the functions below, so that they compile, and the test compares
// the texts.

// providersDecode returns the user of a sign-in.
func providersDecode(login *acs.Login) (any, error) {
	// providers: decoder
	type user struct {
		Mail   string   `saml:"mail,required"`
		Given  string   `saml:"givenName"`
		Family string   `saml:"sn"`
		Groups []string `saml:"groups"`
	}
	users, err := saml.NewDecoder[user](saml.DecoderConfig{Names: []saml.Names{
		saml.OktaNames(), saml.MicrosoftNames(), saml.LDAPNames(),
		{"mail": {"urn:oid:1.2.840.113549.1.9.1"}, "groups": {"groups", "Role"}}, // "Role" is Keycloak's
	}})
	if err != nil {
		return nil, err
	}
	return users.Decode(login.Assertion)
	// providers: end
}

func providersAggregate(certificate []byte) (federation.Config, error) {
	// providers: aggregate
	block, _ := pem.Decode(certificate) // the federation's, compared
	if block == nil {
		return federation.Config{}, errors.New("want a certificate in PEM")
	}
	signer, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return federation.Config{}, err
	}
	return federation.Config{
		Sources: []federation.Source{{
			URL: "https://metadata.example/federation.xml", Keys: []crypto.PublicKey{signer.PublicKey},
			MaxValidity: 28 * 24 * time.Hour, Copy: "/var/lib/signin/federation.xml",
		}},
		Policy: func(string) saml.IdPPolicy { return saml.IdPPolicy{RequireScopes: true} },
	}, nil
	// providers: end
}

func providersNode(ctx context.Context, config federation.Config, name string, store acs.Store,
	signedIn func(http.ResponseWriter, *http.Request, *acs.Login)) (http.Handler, error) {
	// providers: node
	f, err := federation.Open(ctx, config)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, f.Close) // ctx ends with the process
	discovered := []string{
		"https://us-east-1.signin.example/login/idp",
		"https://eu-central-1.signin.example/login/idp",
	}
	sp, err := saml.New(saml.Config{
		EntityID: "https://us-east-1.signin.example/saml",
		ACS: []saml.Endpoint{
			{URL: "https://us-east-1.signin.example/saml/acs", Region: "us-east-1"},
			{URL: "https://eu-central-1.signin.example/saml/acs", Region: "eu-central-1"},
		},
		IdPs: f, DiscoveryResponses: discovered,
	})
	if err != nil {
		return nil, err
	}
	page, err := discovery.New(discovery.Config{
		Providers: f, Service: "Our service", Returns: map[string][]string{sp.EntityID(): discovered},
	})
	if err != nil {
		return nil, err
	}
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Region: name, Store: store, OnLogin: signedIn,
		DiscoveryURL: "/choose", DiscoveredPath: "/login/idp",
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/choose", page)
	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
	return mux, nil
	// providers: end
}

func providersQuery(signer *x509.Certificate) federation.Config {
	// providers: query
	return federation.Config{
		Sources: []federation.Source{{
			Query: "https://mdq.example/", Keys: []crypto.PublicKey{signer.PublicKey},
			MaxValidity: 28 * 24 * time.Hour, Copy: "/var/lib/signin/mdq",
		}},
		Policy: func(string) saml.IdPPolicy { return saml.IdPPolicy{RequireScopes: true} },
	}
	// providers: end
}

func providersQueryNode(sp *saml.ServiceProvider, f *federation.Federation, name string, store acs.Store,
	signedIn func(http.ResponseWriter, *http.Request, *acs.Login)) (*acs.Region, error) {
	// providers: query node
	return acs.NewRegion(acs.Config{
		SP: sp, Region: name, Store: store, OnLogin: signedIn,
		DiscoveryURL: "https://discovery.example/ds", DiscoveredPath: "/login/idp", FindIdP: f.Find,
	})
	// providers: end
}

func TestProvidersCompile(t *testing.T) {
	requireCompiled(t, providersPage, "providers_code_test.go", 5)
}
