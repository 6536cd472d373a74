package peers_test

import (
	"cmp"
	"crypto"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	crewjam "github.com/crewjam/saml"
	"github.com/crewjam/saml/samlsp"
	saml2 "github.com/russellhaering/gosaml2"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// tableLib is a column of the table in acs/COMPARED.md.
type tableLib struct {
	name string
	// verify verifies an unsolicited response, with defaults otherwise, and
	// returns the NameID.
	verify func(t *testing.T, idpMetadata []byte, response string) (string, error)
	// serve starts a site that uses the library. unsolicited allows unsolicited
	// responses.
	serve func(t *testing.T, idpMetadata []byte, unsolicited bool) *spHost
	// provider is the type of a service provider.
	provider reflect.Type
	// acsURLs returns how many URLs its metadata can have.
	acsURLs func(*testing.T) string
	// logout makes a LogoutRequest by each binding; nil: there is none.
	logout func(*testing.T) map[string]string
	idp    string // whether it is an identity provider too
	caller []string
}

// methods are the exported methods of a service provider.
func (l tableLib) methods() []string {
	var out []string
	for m := range l.provider.Methods() {
		out = append(out, m.Name)
	}
	return out
}

func meridianLib() tableLib {
	make := func(t *testing.T, idpMetadata []byte, entityID string, urls ...string) *saml.ServiceProvider {
		t.Helper()
		idp, err := saml.ParseIdPMetadata(idpMetadata)
		require.NoError(t, err)
		c := saml.Config{EntityID: entityID, IdP: idp, DecryptionKeys: []crypto.Decrypter{peerSPKey().key}}
		for _, u := range urls {
			c.ACS = append(c.ACS, saml.Endpoint{URL: u})
		}
		sp, err := saml.New(c)
		require.NoError(t, err)
		return sp
	}
	return tableLib{
		name: "Meridian", provider: reflect.TypeFor[*saml.ServiceProvider](), idp: "a mock, for tests",
		logout: meridianLogout,
		verify: func(t *testing.T, idpMetadata []byte, response string) (string, error) {
			a, err := make(t, idpMetadata, tableEntity, tableACS).Verify([]byte(response),
				saml.VerifyOptions{ACS: tableACS, Unsolicited: true})
			if err != nil {
				return "", err
			}
			return a.NameID().Value, nil
		},
		serve: func(t *testing.T, idpMetadata []byte, unsolicited bool) *spHost {
			return serveMeridian(t, func(base string) *saml.ServiceProvider {
				return make(t, idpMetadata, base+"/metadata", base+"/acs")
			}, unsolicited)
		},
		acsURLs: func(t *testing.T) string {
			metadata, err := make(t, tableIdP(t, nil).Metadata(""), tableEntity, tableACS, tableACS+"2", tableACS+"3").Metadata()
			require.NoError(t, err)
			return countACS(t, metadata)
		},
	}
}

// serveMeridian is a site on acs with a store in memory.
func serveMeridian(t *testing.T, make func(base string) *saml.ServiceProvider, unsolicited bool) *spHost {
	t.Helper()
	s := hostState{port: freePort(t)}
	people := new(siteSessions)
	c := acs.Config{SP: make(s.base()), Store: acs.NewMemoryStore(acs.MemoryConfig{}),
		Logger: slog.New(slog.DiscardHandler),
		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {
			people.signIn(w, l.Assertion.NameID().Value)
			http.Redirect(w, r, cmp.Or(l.ReturnTo, "/whoami"), http.StatusSeeOther)
		}}
	if unsolicited {
		c.Unsolicited = acs.Accept
	}
	region, err := acs.NewRegion(c)
	require.NoError(t, err)
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
	mux.HandleFunc("GET /whoami", people.page)
	serveAt(t, s.base(), mux)
	return tableHost(s.host(""))
}

// tableHost adds the pages that all sites have.
func tableHost(h *spHost) *spHost {
	h.Probe, h.Identity = strings.TrimSuffix(h.Login, "/login")+"/whoami", `(?m)^user=(.*)$`
	return h
}

func newCrewjam(t *testing.T, idpMetadata []byte) *crewjam.ServiceProvider {
	t.Helper()
	entity := new(crewjam.EntityDescriptor)
	require.NoError(t, xml.Unmarshal(idpMetadata, entity))
	at, err := url.Parse(tableACS)
	require.NoError(t, err)
	return &crewjam.ServiceProvider{EntityID: tableEntity, AcsURL: *at, IDPMetadata: entity, AllowIDPInitiated: true,
		Key: peerSPKey().key, Certificate: peerSPKey().cert}
}

func crewjamLib() tableLib {
	return tableLib{
		name: "crewjam", provider: reflect.TypeFor[*crewjam.ServiceProvider](), logout: crewjamLogout, idp: "yes",
		verify: func(t *testing.T, idpMetadata []byte, response string) (string, error) {
			sp := newCrewjam(t, idpMetadata)
			raw, err := base64.StdEncoding.DecodeString(response)
			require.NoError(t, err)
			a, err := sp.ParseXMLResponse(raw, nil, sp.AcsURL)
			if err != nil {
				return "", fmt.Errorf("%w: %w", err, err.(*crewjam.InvalidResponseError).PrivateErr)
			}
			return a.Subject.NameID.Value, nil
		},
		serve: func(t *testing.T, idpMetadata []byte, unsolicited bool) *spHost {
			return tableHost(startSamlspWith(t, stateFor(t, idpMetadata),
				func(o *samlsp.Options) { o.AllowIDPInitiated = unsolicited }))
		},
		acsURLs: func(t *testing.T) string {
			metadata, err := xml.Marshal(newCrewjam(t, tableIdP(t, nil).Metadata("")).Metadata())
			require.NoError(t, err)
			return countACS(t, metadata)
		},
	}
}

func gosaml2Lib() tableLib {
	return tableLib{
		name: "gosaml2", provider: reflect.TypeFor[*saml2.SAMLServiceProvider](), logout: gosaml2Logout, idp: "no",
		// It never sees RelayState.
		caller: []string{"RelayState as a redirect elsewhere, IdP-initiated"},
		verify: func(t *testing.T, idpMetadata []byte, response string) (string, error) {
			info, err := gosaml2Accepts(newGosaml2(t, idpMetadata, tableEntity, tableACS), response)
			if err != nil {
				return "", err
			}
			return info.NameID, nil
		},
		serve: func(t *testing.T, idpMetadata []byte, _ bool) *spHost {
			return tableHost(startGosaml2(t, stateFor(t, idpMetadata)))
		},
		acsURLs: func(t *testing.T) string {
			entity, err := newGosaml2(t, tableIdP(t, nil).Metadata(""), tableEntity, tableACS).Metadata()
			require.NoError(t, err)
			metadata, err := xml.Marshal(entity)
			require.NoError(t, err)
			return countACS(t, metadata)
		},
	}
}

// gosaml2Logout makes a LogoutRequest by every binding.
func gosaml2Logout(t *testing.T) map[string]string {
	t.Helper()
	sp := newGosaml2(t, tableIdP(t, nil).Metadata(""), tableEntity, tableACS)
	sp.IdentityProviderSLOURL = "https://idp.example/slo"
	doc, err := sp.BuildLogoutRequestDocument(peerUser, "session")
	require.NoError(t, err)
	post, err := sp.BuildLogoutBodyPostFromDocument("", doc)
	require.NoError(t, err)
	doc, err = sp.BuildLogoutRequestDocumentNoSig(peerUser, "session")
	require.NoError(t, err)
	redirect, err := sp.BuildLogoutURLRedirect("", doc)
	require.NoError(t, err)
	return map[string]string{"Redirect": redirect, "POST": string(post)}
}

// stateFor returns the parameters of a host program, with its own folder.
func stateFor(t *testing.T, idpMetadata []byte) hostState {
	t.Helper()
	dir := t.TempDir()
	s := hostState{dir: dir, port: freePort(t), cert: peerSPKey().cert,
		idpMetadata: filepath.Join(dir, "idp-metadata.xml")}
	require.NoError(t, os.WriteFile(s.idpMetadata, idpMetadata, 0o600))
	return s
}

var location = regexp.MustCompile(`AssertionConsumerService[^>]* Location="([^"]*)"`)

// countACS counts the different URLs.
func countACS(t *testing.T, metadata []byte) string {
	t.Helper()
	urls := map[string]bool{}
	for _, m := range location.FindAllSubmatch(metadata, -1) {
		urls[string(m[1])] = true
	}
	require.NotEmpty(t, urls, "%s", metadata)
	if len(urls) == 1 {
		return "one"
	}
	return "a list"
}
