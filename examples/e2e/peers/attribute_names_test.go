package peers_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// attributeMaps prints pysaml2's tables of names: by table, the Name of each attribute and its short name. It reads
// them in both directions, because they differ.
const attributeMaps = `
import importlib, json
out = {}
for table in "saml_uri", "shibboleth_uri", "adfs_v1x", "adfs_v20":
    m = importlib.import_module("saml2.attributemaps." + table).MAP
    out[table] = [[name, short] for short, name in m["to"].items()] + [list(pair) for pair in m["fro"].items()]
print(json.dumps(out))
`

// claims are the short names of pysaml2 for claims of AD FS that have another name in LDAP, or a longer one.
var claims = map[string]string{
	"mail": "emailaddress", "sn": "surname", "cn": "commonname", "userPrincipalName": "upn", "groups": "group",
	"nameidentifier": "nameid", "ppid": "privatepersonalid",
}

// pysaml2 writes labeledURI's OID with its last part twice. RFC 2079 has it once.
const labeledURI = "urn:oid:1.3.6.1.4.1.250.1.57"

// Where pysaml2's tables and ours both have an attribute, they agree on its short name; where both have a short name
// for an object identifier, on that.
func TestAttributeNamesAreThoseOfPysaml2(t *testing.T) {
	python := testkit.RequireProgram(t, "peers", debianPython)
	testkit.RequireSuccess(t, "peers", python, "-c", "import saml2")
	out, err := exec.Command(python, "-B", "-c", attributeMaps).Output()
	require.NoError(t, err)
	var theirs map[string][][2]string
	require.NoError(t, json.Unmarshal(out, &theirs))

	ours, oids := map[string]string{}, map[string]string{}
	for _, table := range []saml.Names{saml.EduPersonNames(), saml.SCHACNames(), saml.LDAPNames(), saml.MicrosoftNames()} {
		for short, names := range table {
			for _, name := range names {
				ours[strings.ToLower(name)] = short // pysaml2 has the claims in lower case in one direction
				if strings.HasPrefix(name, "urn:oid:") {
					oids[short] = name
				}
			}
		}
	}
	for table, least := range map[string]int{"saml_uri": 60, "shibboleth_uri": 30, "adfs_v1x": 4, "adfs_v20": 12} {
		shorts := map[string][]string{} // by Name; an OID can have several (RFC 4519)
		for _, pair := range theirs[table] {
			name, short := strings.ToLower(pair[0]), pair[1]
			shorts[name] = append(shorts[name], strings.ToLower(short))
			if oid, ok := oids[short]; ok && strings.HasPrefix(name, "urn:oid:") {
				if oid == labeledURI {
					name = strings.TrimSuffix(name, ".57")
				}
				assert.Equal(t, oid, name, short)
			}
		}
		common := 0
		for name, their := range shorts {
			our, ok := ours[name]
			if !ok {
				continue
			}
			common++
			if claim, ok := claims[our]; ok && strings.HasPrefix(name, "http") {
				our = claim
			}
			assert.Contains(t, their, strings.ToLower(our), name)
		}
		assert.GreaterOrEqual(t, common, least, table)
	}
}
