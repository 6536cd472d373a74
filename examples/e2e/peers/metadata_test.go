package peers_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// TestMetadataCorpus reads the metadata that packages ship and that peers serve,
// once with package saml and once with crewjam/saml's types. Entity ID,
// endpoints, signing keys, validUntil and WantAuthnRequestsSigned must be the
// same, or metadataDifferences explains why they aren't. Where one side refuses
// something, it is validated with the metadata schema too.
//
// MERIDIAN_METADATA names a folder with more files, such as source packages.
func TestMetadataCorpus(t *testing.T) {
	var c metadataCorpus
	c.addPackages(t)
	c.addPeers(t)
	v := newSchemas(t)

	files, providers, explained := c.distinct(), 0, 0
	used := make(map[*metadataDifference]bool)
	for _, f := range files {
		n, differences := compareMetadata(t, v, f)
		providers += n
		for _, d := range differences {
			if why := explainMetadata(f.name, d); assert.NotNil(t, why, "not explained: %s: %s", f.name, d) {
				used[why] = true
				explained++
			}
		}
	}
	for i := range metadataDifferences {
		d := &metadataDifferences[i]
		assert.True(t, used[d] || strings.HasPrefix(d.file, "more/"), "explains nothing: %+v", *d)
	}
	t.Logf("%d distinct metadata files, %d identity providers in them, %d differences explained", len(files), providers,
		explained)
}

// compareMetadata returns the number of identity providers in a file, and the
// differences between the two sides.
func compareMetadata(t *testing.T, v schemas, f metadataFile) (providers int, differences []string) {
	t.Helper()
	say := func(format string, args ...any) { differences = append(differences, fmt.Sprintf(format, args...)) }
	entities, refused := decodeByCrewjam(f.text)
	single, alone := readByUs(f.text, "")
	if refused != nil && (alone == nil || len(entities) > 0) {
		say("%s: document refused by crewjam: %v", schemaVerdict(t, v, f), refused)
	}
	for _, e := range entities {
		if len(e.IDPSSODescriptors) == 0 {
			continue
		}
		providers++
		ours, err := readByUs(f.text, e.EntityID)
		theirs, notes := readByCrewjam(e.EntityDescriptor)
		switch {
		case err != nil && e.err == nil:
			say("%s: %s: refused by us: %s", schemaVerdict(t, v, f), e.EntityID, metadataRule(err))
		case err == nil && e.err != nil:
			say("%s: %s: refused by crewjam: %v", schemaVerdict(t, v, f), e.EntityID, e.err)
		case err == nil:
			for _, d := range compareReadings(ours, theirs, notes) {
				say("%s: %s", e.EntityID, d)
			}
		}
		if single.entityID != "" {
			require.Equal(t, ours, single, "with and without the entity ID: %s", f.name)
		}
	}
	switch rule := metadataRule(alone); {
	case refused == nil && providers == 1 && alone == nil:
	case providers != 1 && rule == "IDPSSODescriptor": // none, or which one
	case refused != nil && len(entities) == 0 && alone != nil: // no SAML metadata on either side
	case len(differences) > 0: // said already
	default:
		say("%s: %d identity providers in it, by us: %v", schemaVerdict(t, v, f), providers, alone)
	}
	return providers, differences
}

// metadataRule returns the rule by which package saml refused metadata.
func metadataRule(err error) string {
	var e *saml.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Rule
}

func schemaVerdict(t *testing.T, v schemas, f metadataFile) string {
	t.Helper()
	if _, ok := v.validate(t, "metadata", f.text); !ok {
		return "schema-invalid"
	}
	return "schema-valid"
}

// A metadataDifference explains differences.
type metadataDifference struct {
	file string // how the names of the files begin; empty: any
	says string // a regular expression for all of what differs
	why  string
}

// explainMetadata finds the explanation of a difference.
func explainMetadata(file, difference string) *metadataDifference {
	for i := range metadataDifferences {
		d := &metadataDifferences[i]
		if strings.HasPrefix(file, d.file) && regexp.MustCompile(`(?s)^(?:`+d.says+`)$`).MatchString(difference) {
			return d
		}
	}
	return nil
}
