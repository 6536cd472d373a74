package sealed_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/sealed"
	"github.com/meridian-saml/meridian/portal/keys"
)

const planted = "quokka@example.com"

func newSearch(t *testing.T) *sealed.Search {
	t.Helper()
	s, err := sealed.NewSearch("another string", planted)
	require.NoError(t, err)
	return s
}

// inJSON is bytes in JSON.
func inJSON(t *testing.T, v []byte) []byte {
	t.Helper()
	b, err := json.Marshal(map[string][]byte{"value": v})
	require.NoError(t, err)
	return b
}

// A string is found as it is, as bytes in JSON, and as such JSON in another one, wherever it begins.
func TestASearchFindsWhatIsPlain(t *testing.T) {
	for shift := range 9 {
		plain := []byte(strings.Repeat("-", shift) + planted + "-")
		once := inJSON(t, plain)
		for name, data := range map[string][]byte{"plain": plain, "once": once, "twice": inJSON(t, once)} {
			s := newSearch(t)
			s.In(data)
			found, searched := s.Found()
			assert.Equal(t, []string{planted}, found, "%s at %d", name, shift)
			assert.EqualValues(t, len(data), searched)
		}
	}
}

// A string that begins in one write and ends in the next is found.
func TestAStreamFindsWhatIsCut(t *testing.T) {
	data := inJSON(t, inJSON(t, []byte(planted)))
	for cut := range data {
		s := newSearch(t)
		stream := s.Stream()
		for _, part := range [][]byte{data[:cut], data[cut:]} {
			_, err := stream.Write(part)
			require.NoError(t, err)
		}
		found, searched := s.Found()
		require.Equal(t, []string{planted}, found, "cut at %d", cut)
		require.EqualValues(t, len(data), searched)
	}
}

func TestASearchFindsNothingElse(t *testing.T) {
	s := newSearch(t)
	noise := make([]byte, 1<<20)
	_, _ = rand.Read(noise)
	s.In(noise)
	s.In([]byte(base64.StdEncoding.EncodeToString(noise)))
	s.In([]byte(planted[:len(planted)-1] + planted[1:]))
	found, _ := s.Found()
	assert.Empty(t, found)
	_, err := sealed.NewSearch("short")
	assert.ErrorContains(t, err, "too short")
}

// Every byte of a connection is in the files, in both directions.
func TestATapKeepsEveryByte(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = io.Copy(c, c)
			_ = c.Close()
		}
	}()
	dir := t.TempDir()
	c, err := sealed.Tap{Dir: dir}.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	_, err = c.Write([]byte("sent to " + planted))
	require.NoError(t, err)
	b := make([]byte, len("sent to "+planted))
	_, err = io.ReadFull(c, b)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	all, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, all, 2)
	for _, name := range all {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Equal(t, "sent to "+planted, string(b))
	}
	s := newSearch(t)
	files, err := s.Files(dir)
	require.NoError(t, err)
	assert.Equal(t, 2, files)
	found, _ := s.Found()
	assert.Equal(t, []string{planted}, found)
}

// Another process opens the Ring of its Region, and what one Region seals, the other opens.
func TestARingIsOpenedByAnotherProcess(t *testing.T) {
	k, err := sealed.All(filepath.Join(t.TempDir(), "keys"), "us-east-1", "eu-central-1")
	require.NoError(t, err)
	other, err := k.Open("eu-central-1")
	require.NoError(t, err)
	us, err := k.Sealer("us-east-1")
	require.NoError(t, err)
	eu, err := other.Sealer("eu-central-1")
	require.NoError(t, err)
	v, err := us.Seal(t.Context(), []byte(planted), keys.Bind("user"))
	require.NoError(t, err)
	assert.False(t, bytes.Contains(v, []byte(planted)))
	v, err = eu.Open(t.Context(), v, keys.Bind("user"))
	require.NoError(t, err)
	assert.Equal(t, planted, string(v))
	n, err := k.Count("us-east-1")
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
	_, err = k.Open("ap-southeast-2")
	assert.Error(t, err)
}
