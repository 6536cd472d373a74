package mockidp_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// faultyFederation returns a Server with a fault in force, and the addresses of both endpoints.
func faultyFederation(t *testing.T, f mockidp.Fault) (*mockidp.Server, []string) {
	t.Helper()
	idp := federated(t, 3)
	require.NoError(t, idp.Inject(f))
	return idp, []string{idp.FederationURL(), queryURL(idp, idp.FederationEntityIDs()[1])}
}

// The faults that replace a document do as documented, at both endpoints.
func TestFaultsInsteadOfMetadata(t *testing.T) {
	for kind, check := range map[mockidp.FaultKind]func(*testing.T, *http.Response, []byte, string){
		mockidp.MetadataHTML: func(t *testing.T, r *http.Response, body []byte, _ string) {
			assert.Equal(t, http.StatusOK, r.StatusCode)
			assert.Contains(t, r.Header.Get("Content-Type"), "text/html")
			assert.Contains(t, string(body), "<html>")
		},
		mockidp.MetadataEmpty: func(t *testing.T, r *http.Response, body []byte, _ string) {
			assert.Equal(t, http.StatusOK, r.StatusCode)
			assert.Empty(t, body)
		},
		mockidp.MetadataRedirect: func(t *testing.T, r *http.Response, _ []byte, u string) {
			assert.Equal(t, http.StatusFound, r.StatusCode)
			to, err := r.Location()
			require.NoError(t, err)
			assert.Equal(t, u, to.String(), "a loop")
		},
		mockidp.MetadataNotModified: func(t *testing.T, r *http.Response, _ []byte, _ string) {
			assert.Equal(t, http.StatusNotModified, r.StatusCode)
		},
		mockidp.MetadataBomb: func(t *testing.T, r *http.Response, body []byte, _ string) {
			assert.Equal(t, "gzip", r.Header.Get("Content-Encoding"), "whatever the client accepts")
			assert.Less(t, len(body), 1<<20)
			z, err := gzip.NewReader(bytes.NewReader(body))
			require.NoError(t, err)
			n, err := io.Copy(io.Discard, z)
			require.NoError(t, err)
			assert.Greater(t, n, int64(256<<20))
		},
		mockidp.MetadataCut: func(t *testing.T, r *http.Response, body []byte, _ string) {
			assert.Equal(t, int64(len(body)), r.ContentLength, "a complete answer")
			assert.Contains(t, string(body), "<ds:Signature ")
			assert.False(t, bytes.HasSuffix(body, []byte("Descriptor>")), "of an incomplete document")
		},
	} {
		t.Run(string(kind), func(t *testing.T) {
			idp, urls := faultyFederation(t, mockidp.Fault{Kind: kind})
			for _, u := range urls {
				resp, body := fetched(t, idp, u)
				check(t, resp, body, u)
			}
		})
	}
}

func TestMetadataSlowAbortedAndEndless(t *testing.T) {
	idp, urls := faultyFederation(t, mockidp.Fault{Kind: mockidp.MetadataSlow, For: 200 * time.Millisecond})
	for _, u := range urls {
		began := time.Now()
		_, doc := fetched(t, idp, u, "If-None-Match", "*")
		assert.GreaterOrEqual(t, time.Since(began), 150*time.Millisecond)
		_, err := saml.VerifyAggregate(doc, federationKeys(idp))
		assert.NoError(t, err)
	}
	plain := http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}
	read := func(u string, most int64) (int64, error) {
		resp, err := plain.Get(u)
		require.NoError(t, err)
		defer resp.Body.Close()
		return io.Copy(io.Discard, io.LimitReader(resp.Body, most))
	}
	_, urls = faultyFederation(t, mockidp.Fault{Kind: mockidp.MetadataAbort})
	for _, u := range urls {
		_, err := read(u, 1<<20)
		assert.True(t, errors.Is(err, io.ErrUnexpectedEOF), "%v", err)
	}
	_, urls = faultyFederation(t, mockidp.Fault{Kind: mockidp.MetadataEndless})
	for _, u := range urls {
		n, err := read(u, 100<<20)
		require.NoError(t, err)
		assert.EqualValues(t, 100<<20, n, "more than any client should read")
	}
	// Without a time, a byte a second: no client waits for the whole.
	_, urls = faultyFederation(t, mockidp.Fault{Kind: mockidp.MetadataSlow})
	for _, u := range urls {
		n, err := read(u, 1)
		require.NoError(t, err)
		assert.EqualValues(t, 1, n)
	}
}

// A fault affects the endpoint and the entity that it names, and answers of apps don't take it.
func TestFaultsOfOneEndpoint(t *testing.T) {
	idp := federated(t, 3)
	ids := idp.FederationEntityIDs()
	status := func(u string) int {
		resp, _ := fetched(t, idp, u)
		return resp.StatusCode
	}
	all, first, second := idp.FederationURL(), queryURL(idp, ids[0]), queryURL(idp, ids[1])
	for name, c := range map[string]struct {
		fault mockidp.Fault
		want  []int // of all, first and second
	}{
		"aggregate": {mockidp.Fault{Kind: mockidp.ServerError, Endpoint: mockidp.EndpointAggregate}, []int{503, 200, 200}},
		"query": {mockidp.Fault{Kind: mockidp.ServerError, Endpoint: mockidp.EndpointQuery, Status: 502},
			[]int{200, 502, 502}},
		"entity": {mockidp.Fault{Kind: mockidp.MetadataNotModified, Entity: ids[1]}, []int{200, 200, 304}},
		"both":   {mockidp.Fault{Kind: mockidp.MetadataNotModified}, []int{304, 304, 304}},
		"count":  {mockidp.Fault{Kind: mockidp.MetadataNotModified, Count: 2}, []int{304, 304, 200}},
		"apps":   {mockidp.Fault{Kind: mockidp.ServerError}, []int{200, 200, 200}},
	} {
		require.NoError(t, idp.Inject(c.fault))
		assert.Equal(t, c.want, []int{status(all), status(first), status(second)}, name)
		idp.ClearFaults("")
	}
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.MetadataOld}))
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.Delay, For: time.Hour, Endpoint: mockidp.EndpointQuery}))
	_, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	assert.Empty(t, idp.Messages()[0].Faults)
}

// Each fault in a document is the one that its name says; the rest of the document is good.
func TestFaultsInMetadata(t *testing.T) {
	idp := federated(t, 3)
	ids := idp.FederationEntityIDs()
	good, err := saml.VerifyAggregate(idp.FederationMetadata(), federationKeys(idp))
	require.NoError(t, err)
	signed := func(u string, kinds ...mockidp.FaultKind) *saml.Aggregate {
		for _, kind := range kinds {
			require.NoError(t, idp.Inject(mockidp.Fault{Kind: kind, Count: 1}))
		}
		_, doc := fetched(t, idp, u)
		a, err := saml.VerifyAggregate(doc, federationKeys(idp))
		require.NoError(t, err, "%v", kinds)
		return a
	}
	for _, u := range []string{idp.FederationURL(), queryURL(idp, ids[0])} {
		old := signed(u, mockidp.MetadataOld)
		assert.Equal(t, 84*time.Hour, good.CreationInstant().Sub(old.CreationInstant()))
		assert.True(t, old.ValidUntil().After(time.Now()))
		assert.Equal(t, 24*time.Hour, good.CreationInstant().Sub(signed(u, mockidp.MetadataExpired).ValidUntil()))
		assert.Zero(t, signed(u, mockidp.MetadataNoValidUntil).ValidUntil())
		assert.Equal(t, good.CreationInstant().Year()+30, signed(u, mockidp.MetadataLongValidity).ValidUntil().Year())
		both := signed(u, mockidp.MetadataOld, mockidp.MetadataNoValidUntil)
		assert.Equal(t, []time.Time{old.CreationInstant(), {}}, []time.Time{both.CreationInstant(), both.ValidUntil()},
			"they add up")
	}
	assert.Equal(t, []string{ids[3]}, signed(idp.FederationURL(), mockidp.MetadataDuplicate).Duplicates(), "the last one")
	other, single := signed(queryURL(idp, ids[0]), mockidp.MetadataOtherEntity).Single()
	assert.True(t, single)
	assert.NotEqual(t, ids[0], other)
	group := signed(queryURL(idp, ids[0]), mockidp.MetadataGroup)
	_, single = group.Single()
	assert.False(t, single)
	assert.True(t, group.Has(ids[0]))
	_, err = signed(queryURL(idp, ids[0]), mockidp.MetadataBroken).IdP(ids[0])
	assert.Error(t, err)
	assert.Empty(t, idp.Faults())
	assert.Equal(t, good.CreationInstant(), signed(idp.FederationURL()).CreationInstant())
}

func TestFederationFaultsAreChecked(t *testing.T) {
	idp := federated(t, 0)
	for name, f := range map[string]mockidp.Fault{
		"endpoint":      {Kind: mockidp.MetadataCut, Endpoint: "all"},
		"page":          {Kind: mockidp.CutPage, Endpoint: mockidp.EndpointQuery},
		"app":           {Kind: mockidp.MetadataCut, App: "idc"},
		"entity":        {Kind: mockidp.Delay, Entity: "urn:x"},
		"URL":           {Kind: mockidp.MetadataCut, URL: "http://x.example/"},
		"relative":      {Kind: mockidp.MetadataRedirect, URL: "/x"},
		"control":       {Kind: mockidp.MetadataRedirect, URL: "http://x.example/\r\nA: b"},
		"long":          {Kind: mockidp.MetadataRedirect, URL: "http://x.example/" + strings.Repeat("a", 2000)},
		"text":          {Kind: mockidp.MetadataBroken, Entity: "\x00"},
		"negative":      {Kind: mockidp.MetadataSlow, For: -1},
		"for queries":   {Kind: mockidp.MetadataGroup, Endpoint: mockidp.EndpointAggregate},
		"for aggregate": {Kind: mockidp.MetadataDuplicate, Endpoint: mockidp.EndpointQuery},
	} {
		assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.Inject(f)), name)
	}
	assert.Empty(t, idp.Faults())
}
