package federation_test

import (
	"crypto"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// newMock returns a mock with a federation of its app, its tenant and ten others.
func newMock(t *testing.T) *mockidp.Server {
	t.Helper()
	idp := mockidp.New(mockidp.Config{Federation: mockidp.Federation{Entities: 10, Key: trusted()}})
	t.Cleanup(idp.Close)
	_, err := idp.Tenant("campus")
	require.NoError(t, err)
	return idp
}

const monthly = 28 * 24 * time.Hour

func ofMock(idp *mockidp.Server) federation.Source {
	return federation.Source{URL: idp.FederationURL(), MaxValidity: monthly,
		Keys: []crypto.PublicKey{idp.FederationCertificate().PublicKey}}
}

func queryOfMock(idp *mockidp.Server) federation.Source {
	s := ofMock(idp)
	s.URL, s.Query = "", idp.FederationQueryURL()
	return s
}

func inject(t *testing.T, idp *mockidp.Server, kind mockidp.FaultKind, at mockidp.Endpoint) {
	t.Helper()
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: kind, Endpoint: at}))
}

// mockFaults has the Reason for each fault that refuses a document.
var mockFaults = map[mockidp.FaultKind]string{
	mockidp.DropConnection:       "MetadataFetch",
	mockidp.ServerError:          "MetadataFetch",
	mockidp.MetadataSlow:         "MetadataFetch", // F18
	mockidp.MetadataAbort:        "MetadataFetch",
	mockidp.MetadataCut:          "Metadata",
	mockidp.MetadataEndless:      "MetadataFetch",
	mockidp.MetadataBomb:         "MetadataFetch", // F19
	mockidp.MetadataHTML:         "Metadata",      // F20
	mockidp.MetadataEmpty:        "Metadata",
	mockidp.MetadataRedirect:     "MetadataFetch", // F25
	mockidp.MetadataNotModified:  "MetadataFetch", // F30; only without an ETag
	mockidp.MetadataOld:          "MetadataRollback",
	mockidp.MetadataExpired:      "MetadataExpired",
	mockidp.MetadataNoValidUntil: "MetadataValidity",
	mockidp.MetadataLongValidity: "MetadataValidity",
	mockidp.MetadataUnsigned:     "MetadataUnsigned",
	mockidp.MetadataTampered:     "MetadataSignature",
	mockidp.MetadataOtherKey:     "MetadataSignature",
	mockidp.MetadataIdPKey:       "MetadataSignature", // F11
	mockidp.MetadataOtherEntity:  "MetadataEntity",    // F28
	mockidp.MetadataGroup:        "MetadataEntity",
}

// Each fault of the mock's aggregate is refused for its Reason, and the last good document serves.
func TestFaultsOfTheMocksAggregate(t *testing.T) {
	for kind, want := range mockFaults {
		if want == "MetadataEntity" || kind == mockidp.MetadataNotModified {
			continue // of queries; accepted by a client that has the document
		}
		t.Run(string(kind), func(t *testing.T) {
			idp := newMock(t)
			f := open(t, &clock{}, ofMock(idp))
			ids := idp.FederationEntityIDs()
			require.Equal(t, ids, f.EntityIDs())
			inject(t, idp, kind, mockidp.EndpointAggregate)
			becomes(t, f, want)
			for _, id := range ids {
				_, err := f.IdP(id)
				require.NoError(t, err, id)
			}
			idp.ClearFaults("")
			becomes(t, f, "")
		})
	}
}

// Each fault of the mock's queries is refused for its Reason: for an entity that isn't known yet, and for a known one,
// which stays.
func TestFaultsOfTheMocksQueries(t *testing.T) {
	for kind, want := range mockFaults {
		t.Run(string(kind), func(t *testing.T) {
			idp := newMock(t)
			ids := idp.FederationEntityIDs()
			c := &clock{}
			f := open(t, c, queryOfMock(idp))
			_, err := f.Find(t.Context(), ids[0], "192.0.2.1")
			require.NoError(t, err, "the twin")
			inject(t, idp, kind, mockidp.EndpointQuery)
			_, err = f.Find(t.Context(), ids[1], "192.0.2.1")
			if kind == mockidp.MetadataOld { // there is nothing newer
				require.NoError(t, err)
			} else {
				requireReason(t, want, err)
			}
			if kind != mockidp.MetadataNotModified {
				require.Eventually(t, func() bool {
					_, err := f.Find(t.Context(), ids[0], "192.0.2.1") // refreshes it in the background
					require.NoError(t, err)
					got := f.Status()[0].Err
					return got != nil && reasonIn(got, want)
				}, time.Minute, 5*time.Millisecond, "%v", f.Status()[0].Err)
			}
			_, err = f.IdP(ids[0])
			require.NoError(t, err)
			idp.ClearFaults("")
			_, err = f.Find(t.Context(), ids[1], "192.0.2.1")
			require.NoError(t, err)
		})
	}
}

// F21, F22: a broken or duplicate entity hurts no other.
func TestFaultsOfOneEntityOfTheMock(t *testing.T) {
	for kind, want := range map[mockidp.FaultKind]string{
		mockidp.MetadataBroken: "Metadata", mockidp.MetadataDuplicate: "MetadataDuplicate",
	} {
		for _, at := range []int{0, 1, 5, 11} {
			idp := newMock(t)
			ids := idp.FederationEntityIDs()
			require.NoError(t, idp.Inject(mockidp.Fault{Kind: kind, Entity: ids[at]}))
			f := open(t, &clock{}, ofMock(idp))
			for i, id := range ids {
				_, err := f.IdP(id)
				if i == at {
					requireReason(t, want, err)
				} else {
					require.NoError(t, err, id)
				}
			}
		}
	}
	idp := newMock(t)
	ids := idp.FederationEntityIDs()
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.MetadataBroken, Entity: ids[3]}))
	f := open(t, &clock{}, queryOfMock(idp))
	_, err := f.Find(t.Context(), ids[3], "192.0.2.1")
	requireReason(t, "Metadata", err)
	_, err = f.Find(t.Context(), ids[4], "192.0.2.1")
	require.NoError(t, err)
}

// F25: whatever it leads to, a redirect reaches no other service.
func TestRedirectsOfTheMock(t *testing.T) {
	victim := newPublisher(t, signed(t, aggregate(until(time.Now().Add(time.Hour)), oneIdP), trusted()))
	for _, to := range []string{"https://127.0.0.1:1/", "http://user@127.0.0.1:1/", "file:///etc/hostname",
		"ftp://127.0.0.1/"} {
		idp := newMock(t)
		require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.MetadataRedirect, URL: to}))
		f := open(t, &clock{}, ofMock(idp))
		requireReason(t, "MetadataFetch", f.Status()[0].Err)
	}
	idp := newMock(t)
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.MetadataRedirect, URL: victim.URL}))
	f := open(t, &clock{}, ofMock(idp))
	_, err := f.IdP(oneIdP)
	require.NoError(t, err, "the twin: a redirect in the same scheme to an allowed address")
}

// F30: an ETag that all documents share, and a document that doesn't change in its name. What is in use stays.
func TestSameETagOfTheMock(t *testing.T) {
	idp := newMock(t)
	inject(t, idp, mockidp.MetadataSameETag, "")
	for _, s := range []federation.Source{ofMock(idp), queryOfMock(idp)} {
		f := open(t, &clock{}, s)
		for _, id := range idp.FederationEntityIDs() {
			got, err := f.Find(t.Context(), id, "192.0.2.1")
			require.NoError(t, err)
			assert.Equal(t, id, got.EntityID(), "the document of its own name")
		}
	}
}

// A person signs in at a tenant of the mock that is known by the federation only.
// Obligations: IIP-MD06.
func TestSignInAtATenantOfTheMock(t *testing.T) {
	idp := newMock(t)
	tenant, err := idp.Tenant("campus")
	require.NoError(t, err)
	app := tenant.Apps()[0]
	f := open(t, &clock{}, queryOfMock(idp))
	provider, err := f.Find(t.Context(), app.Issuer, "192.0.2.1")
	require.NoError(t, err)
	require.Equal(t, tenant.SSOURL(""), provider.SSOServices()[0].URL)
	page, err := testkit.NewBrowser(t.Context()).Open(tenant.SSOURL(""))
	require.NoError(t, err)
	assert.Contains(t, page.Body, "<form", "users sign in there")
}

// reasonIn reports whether an error has that Reason.
func reasonIn(err error, want string) bool {
	var own *federation.Error
	var verifier *saml.Error
	return asError(err, &own) && string(own.Reason) == want || asError(err, &verifier) && string(verifier.Reason) == want
}
