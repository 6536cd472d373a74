package main_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func spMetadata(id string) string {
	return fmt.Sprintf(`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%s"><SPSSODescriptor
		protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><AssertionConsumerService
		Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="%s/acs" index="0"/></SPSSODescriptor>
		</EntityDescriptor>`, id, id)
}

// A file, and a URL of a service provider that starts later. The first one has the address of the empty app, so that
// its own configuration can be written in advance.
func TestSPMetadata(t *testing.T) {
	var asked atomic.Int32
	sp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			http.Error(w, "starting", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte(spMetadata("https://b.example")))
	}))
	defer sp.Close()
	found, stop := running(t, os.Interrupt)
	free := path(t, found["Metadata"][0])
	stop()
	found, stop = running(t, os.Interrupt, "-sp-metadata", sp.URL+"/saml/metadata", "-sp-metadata",
		write(t, spMetadata("https://a.example")))
	defer stop()
	require.Len(t, found["Waiting"], 1)
	require.Len(t, found["Metadata"], 2)
	assert.EqualValues(t, 3, asked.Load())
	assert.Equal(t, free, path(t, found["Metadata"][0]), "the first has the address of the empty app")
	get(t, found["Metadata"][1], 200)
	assert.Empty(t, found["Until"], "the file took the empty app")

	found, stop = running(t, os.Interrupt, "-sp-metadata", sp.URL+"/saml/metadata")
	defer stop()
	require.Len(t, found["Until"], 1)
	assert.Equal(t, found["Metadata"], found["Until"], "a service provider that starts later needs it before")
}

func TestSPMetadataErrors(t *testing.T) {
	large := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			_, _ = w.Write(bytes.Repeat([]byte(" "), 1<<20+1))
		case "/denied":
			http.Error(w, "", http.StatusForbidden)
		}
	}))
	defer large.Close()
	for from, want := range map[string]string{
		write(t, "x"):         "metadata is invalid",
		"/nonexistent/sp.xml": "no such file",
		large.URL + "/large":  "over 1 MiB",
		large.URL + "/":       "metadata is invalid",
		"http://":             "invalid URL",
		large.URL + "/denied": "403",
	} {
		out, err := exec.Command(binary(t), "-listen", "127.0.0.1:0", "-sp-metadata", from).CombinedOutput()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		assert.Equal(t, 2, exit.ExitCode())
		assert.Contains(t, string(out), "mockidp: -sp-metadata "+from+": ")
		assert.Contains(t, string(out), want)
	}
}
