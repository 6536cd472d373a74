package peers_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// A metadataFile is a file with SAML metadata, as a package ships it or as a
// peer serves it.
type metadataFile struct {
	name string // the package or the peer, and the path in it
	text []byte
}

// A metadataCorpus collects files.
type metadataCorpus struct {
	mu    sync.Mutex
	files []metadataFile // guarded by mu
}

func (c *metadataCorpus) add(name string, text []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files = append(c.files, metadataFile{name, text})
}

// distinct returns the files in the order of their names, and each content once.
func (c *metadataCorpus) distinct() (files []metadataFile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.SortStableFunc(c.files, func(a, b metadataFile) int { return strings.Compare(a.name, b.name) })
	seen := make(map[[sha256.Size]byte]bool)
	for _, f := range c.files {
		if sum := sha256.Sum256(f.text); !seen[sum] {
			seen[sum] = true
			files = append(files, f)
		}
	}
	return files
}

// The packages whose fixtures are read: installed ones from their folder, the
// others from their archive, so that what they depend on need not be installed.
var (
	metadataFolders = map[string]string{
		"shibboleth-sp-common": "/etc/shibboleth",
		"simplesamlphp":        simpleSAMLphp,
	}
	debianMetadata = []string{"python3-django-saml2", "python3-keystone"}
	npmMetadata    = []string{"express-saml2@1.4.1", "node-saml@3.1.2", "@socialtables/saml-protocol@0.3.7"}
)

// moreMetadata names a folder, usually of unpacked source packages, whose files
// are read too.
const moreMetadata = "MERIDIAN_METADATA"

// addPackages adds what packages ship. A package without metadata fails the
// test: its files have moved.
func (c *metadataCorpus) addPackages(t *testing.T) {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	for name, dir := range metadataFolders {
		testkit.RequireFile(t, "peers", dir)
		require.NotZero(t, c.addFolder(t, name, dir), "no metadata in %s", dir)
	}
	for _, name := range debianMetadata {
		file := filepath.Join(cache, "meridian-peers", "debian", name+".deb")
		testkit.RequireFile(t, "peers", file)
		files, err := exec.Command(testkit.RequireProgram(t, "peers", "dpkg-deb"), "--fsys-tarfile", file).Output()
		require.NoError(t, err)
		require.NotZero(t, c.addArchive(t, name, bytes.NewReader(files)), "no metadata in %s", name)
	}
	for _, name := range npmMetadata {
		files, err := gzip.NewReader(bytes.NewReader(npmArchive(t, cache, name)))
		require.NoError(t, err)
		require.NotZero(t, c.addArchive(t, name, files), "no metadata in %s", name)
	}
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/crewjam/saml").Output()
	require.NoError(t, err)
	require.NotZero(t, c.addFolder(t, "crewjam/saml", strings.TrimSpace(string(module))))
	if dir := os.Getenv(moreMetadata); dir != "" {
		require.NotZero(t, c.addFolder(t, "more", dir), "no metadata in %s", dir)
	}
}

// addFolder adds the metadata below a folder and returns the number of files.
func (c *metadataCorpus) addFolder(t *testing.T, name, dir string) (n int) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !metadataName.MatchString(path) {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && isMetadata(text) {
			within, _ := filepath.Rel(dir, path)
			c.add(name+"/"+filepath.ToSlash(within), text)
			n++
		}
		return err
	}))
	return n
}

// addArchive is addFolder for a tar archive.
func (c *metadataCorpus) addArchive(t *testing.T, name string, archive io.Reader) (n int) {
	t.Helper()
	for r := tar.NewReader(archive); ; {
		header, err := r.Next()
		if err == io.EOF {
			return n
		}
		require.NoError(t, err)
		if header.Typeflag != tar.TypeReg || !metadataName.MatchString(header.Name) {
			continue
		}
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		if isMetadata(text) {
			within := strings.TrimPrefix(strings.TrimPrefix(header.Name, "./"), "package/")
			c.add(name+"/"+strings.TrimPrefix(within, debianModules), text)
			n++
		}
	}
}

// debianModules is where Debian's packages have Python's.
const debianModules = "usr/lib/python3/dist-packages/"

var (
	metadataName = regexp.MustCompile(`(\.xml|metadata)$`)
	xmlComment   = regexp.MustCompile(`(?s)<!--.*?-->`)
	xmlStartTag  = regexp.MustCompile(`<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)`)
)

// isMetadata reports whether the root of a document, in any encoding, has one of
// the names that the metadata specification gives it, in any namespace.
func isMetadata(text []byte) bool {
	text = xmlComment.ReplaceAll(bytes.ReplaceAll(text, []byte{0}, nil), nil) // UTF-16 becomes ASCII enough
	root := xmlStartTag.FindSubmatch(text)
	return root != nil && slices.Contains([]string{"EntityDescriptor", "EntitiesDescriptor"}, string(root[1]))
}

// npmArchive returns a package's archive of the registry. It is in the user's
// cache folder.
func npmArchive(t *testing.T, cache, name string) []byte {
	t.Helper()
	npm := testkit.RequireProgram(t, "peers", "npm")
	dir := filepath.Join(cache, "meridian-peers", "npm")
	file := filepath.Join(dir, strings.ReplaceAll(name, "/", "-")+".tgz")
	if text, err := os.ReadFile(file); err == nil {
		return text
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	fresh, err := os.MkdirTemp(dir, "new-")
	require.NoError(t, err)
	defer os.RemoveAll(fresh)
	if out, err := exec.Command(npm, "pack", "--silent", "--pack-destination", fresh, name).CombinedOutput(); err != nil {
		testkit.Lacking(t, "peers", "npm pack "+name+": "+err.Error()+"\n"+string(out))
	}
	packed, err := filepath.Glob(filepath.Join(fresh, "*.tgz"))
	require.NoError(t, err)
	require.Len(t, packed, 1)
	text, err := os.ReadFile(packed[0])
	require.NoError(t, err)
	require.NoError(t, os.Rename(packed[0], file))
	return text
}
