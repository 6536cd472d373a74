package peers_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"
)

// writeReadable writes the metadata and the certificate into a new folder.
func writeReadable(t *testing.T, metadata []byte, signer *x509.Certificate) hostState {
	t.Helper()
	s := hostState{dir: t.TempDir()}
	s.write(t, "metadata.xml", metadata)
	s.write(t, "signer.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signer.Raw}))
	return s
}

// readByXmlsec only verifies.
func readByXmlsec(xmlsec string) metadataReader {
	return func(t *testing.T, _ string, metadata []byte, signer *x509.Certificate) (spReading, error) {
		s := writeReadable(t, metadata, signer)
		out, err := verifyMetadata(t, xmlsec, s.file("signer.pem"), "EntityDescriptor", metadata)
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		return spReading{}, err
	}
}

// printedReading runs a program that prints a reading as JSON.
func printedReading(cmd *exec.Cmd) (r spReading, err error) {
	out, err := cmd.Output()
	if failed := new(exec.ExitError); errors.As(err, &failed) {
		err = fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	if err == nil {
		err = json.Unmarshal(out, &r)
	}
	return r, err
}

func readBySimpleSAMLphp(php string) metadataReader {
	return func(t *testing.T, entityID string, metadata []byte, signer *x509.Certificate) (spReading, error) {
		s := writeReadable(t, metadata, signer)
		cmd := exec.Command(php, "testdata/read_metadata.php", s.file("metadata.xml"), "signer.pem", entityID)
		cmd.Env = append(os.Environ(), "PEER_STATE="+s.dir,
			"SIMPLESAMLPHP_CONFIG_DIR="+peerScript(t, "simplesamlphp/config"))
		return printedReading(cmd)
	}
}

// readMetadata has pysaml2 fetch the metadata.
func (py pysaml2) readMetadata(
	t *testing.T, entityID string, metadata []byte, signer *x509.Certificate,
) (spReading, error) {
	s := writeReadable(t, metadata, signer)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/samlmetadata+xml")
		_, _ = w.Write(metadata)
	}))
	defer server.Close()
	cmd := exec.Command(py.python, "-B", "testdata/read_metadata.py", "--xmlsec", py.xmlsec,
		"--cert", s.file("signer.pem"), server.URL, entityID)
	cmd.Env = append(os.Environ(), noAuthorities, "TMPDIR="+s.dir)
	return printedReading(cmd)
}

// readByShibboleth has mdquery verify the metadata, and validate it with the schemas. It prints the entity as OpenSAML
// has it.
func readByShibboleth(mdquery string) metadataReader {
	return func(t *testing.T, entityID string, metadata []byte, signer *x509.Certificate) (spReading, error) {
		s := writeReadable(t, metadata, signer)
		apache{Dir: s.dir}.fill(t, s, "shibboleth-metadata/shibboleth2.xml", "shibboleth2.xml")
		cmd := exec.Command(mdquery, "-e", entityID)
		cmd.Env = append(os.Environ(), "SHIBSP_CONFIG="+s.file("shibboleth2.xml"))
		out, err := cmd.Output()
		require.NoError(t, err, "%s", out)
		log, entity, found := strings.Cut(string(out), "<md:EntityDescriptor ")
		if !found {
			return spReading{}, errors.New(log)
		}
		doc := etree.NewDocument()
		require.NoError(t, doc.ReadFromString("<md:EntityDescriptor "+entity))
		require.Equal(t, entityID, doc.Root().SelectAttrValue("entityID", ""))
		return readElements(doc.Root()), nil
	}
}

// readElements reads an EntityDescriptor.
func readElements(entity *etree.Element) spReading {
	attr := func(e *etree.Element, name string) string { return e.SelectAttrValue(name, "") }
	all := func(path, name string) (out []string) { // an attribute, or the text
		for _, e := range entity.FindElements(path) {
			if name != "" {
				out = append(out, attr(e, name))
			} else {
				out = append(out, e.Text())
			}
		}
		return out
	}
	texts := func(path string) map[string]string {
		out := map[string]string{}
		for _, e := range entity.FindElements(path) {
			out[attr(e, "xml:lang")] = e.Text()
		}
		return out
	}
	const role, ui = "./SPSSODescriptor/", "./SPSSODescriptor/Extensions/UIInfo/"
	const certificate = "KeyInfo/X509Data/X509Certificate"
	const requested = role + "AttributeConsumingService/RequestedAttribute"
	r := spReading{
		Signing:      all(role+"KeyDescriptor[@use='signing']/"+certificate, ""),
		Encryption:   all(role+"KeyDescriptor[@use='encryption']/"+certificate, ""),
		Names:        texts(ui + "DisplayName"),
		Descriptions: texts(ui + "Description"), Information: texts(ui + "InformationURL"),
		Privacy: texts(ui + "PrivacyStatementURL"), Organization: texts("./Organization/OrganizationName"),
		Required:         all(requested+"[@isRequired='true']", "Name"),
		Discovery:        all(role+"Extensions/DiscoveryResponse", "Location"),
		EntityAttributes: map[string][]string{},
	}
	for _, e := range entity.FindElements(role + "AssertionConsumerService") {
		index, _ := strconv.Atoi(attr(e, "index"))
		r.ACS = append(r.ACS, spEndpoint{attr(e, "Location"), index, attr(e, "isDefault") == "true"})
	}
	for _, e := range entity.FindElements(role + "SingleLogoutService") {
		r.Logout = append(r.Logout, attr(e, "Binding")+" "+attr(e, "Location"))
	}
	for _, e := range entity.FindElements(requested) {
		if attr(e, "isRequired") != "true" {
			r.Optional = append(r.Optional, attr(e, "Name"))
		}
	}
	for _, e := range entity.FindElements("./Extensions/EntityAttributes/Attribute") {
		for _, v := range e.ChildElements() {
			r.EntityAttributes[attr(e, "Name")] = append(r.EntityAttributes[attr(e, "Name")], v.Text())
		}
	}
	for _, e := range entity.FindElements("./ContactPerson") {
		contact := attr(e, "contactType")
		for _, address := range e.SelectElements("EmailAddress") {
			contact += " " + strings.TrimPrefix(address.Text(), "mailto:")
		}
		r.Contacts = append(r.Contacts, contact)
	}
	for _, e := range entity.FindElements(ui + "Logo") {
		r.Logo = attr(e, "width") + "x" + attr(e, "height") + " " + e.Text()
	}
	return r
}
