package federation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/saml"
)

var _ saml.SourceIdPs = (*federation.Federation)(nil)

// An identity provider is found by its SourceID as by its entity ID: in memory, and without a fetch.
func TestSourceIdP(t *testing.T) {
	whole := newPublisher(t, signed(t, aggregate("", oneIdP), trusted()))
	service := queried(t, map[string]string{twoIdP: signed(t, descriptor()(twoIdP), trusted())})
	f := open(t, &clock{}, federation.Source{Name: "whole", URL: whole.URL, Keys: pinned()},
		federation.Source{Query: service.URL + "/", Keys: pinned(), Copy: t.TempDir()})
	idp, err := f.SourceIdP(saml.SourceIDOf(oneIdP))
	require.NoError(t, err)
	require.Equal(t, oneIdP, idp.EntityID())

	_, err = f.SourceIdP(saml.SourceIDOf(twoIdP))
	requireReason(t, "ArtifactSource", err)
	require.Zero(t, service.requests.Load(), "an artifact causes no fetch")
	_, err = f.Find(t.Context(), twoIdP, client)
	require.NoError(t, err)
	idp, err = f.SourceIdP(saml.SourceIDOf(twoIdP))
	require.NoError(t, err)
	require.Equal(t, twoIdP, idp.EntityID())

	whole.publish(signed(t, aggregate("", twoIdP), trusted()))
	require.NoError(t, f.Reset(t.Context(), "whole"))
	_, err = f.SourceIdP(saml.SourceIDOf(oneIdP))
	requireReason(t, "ArtifactSource", err)
	_, err = f.SourceIdP(saml.SourceIDOf(twoIdP))
	require.NoError(t, err, "two sources have it")
}

// H05: two identity providers with one SourceID are both refused, of one source, of two, and of a query service.
func TestSourceIDOfTwo(t *testing.T) {
	same := func(string) saml.SourceID { return saml.SourceID{1} }
	both := newPublisher(t, signed(t, aggregate("", oneIdP, twoIdP), trusted()))
	one := newPublisher(t, signed(t, aggregate("", oneIdP), trusted()))
	two := queried(t, map[string]string{
		oneIdP: signed(t, descriptor()(oneIdP), trusted()), twoIdP: signed(t, descriptor()(twoIdP), trusted()),
	})
	for name, sources := range map[string][]federation.Source{
		"one source":      {{URL: both.URL, Keys: pinned()}},
		"two sources":     {{URL: one.URL, Keys: pinned()}, {Query: two.URL + "/", Keys: pinned()}},
		"a query service": {{Query: two.URL + "/", Keys: pinned()}},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t, &clock{}, sources...)
			f.SetSourceID(same)
			_, err := f.Find(t.Context(), oneIdP, client)
			require.NoError(t, err)
			if name != "one source" {
				idp, err := f.SourceIdP(same(""))
				require.NoError(t, err, "the twin: one of them is known")
				require.Equal(t, oneIdP, idp.EntityID())
			}
			_, err = f.Find(t.Context(), twoIdP, client)
			require.NoError(t, err)
			_, err = f.SourceIdP(same(""))
			requireReason(t, "ArtifactSource", err)
			require.ErrorContains(t, err, "several")
		})
	}
}
