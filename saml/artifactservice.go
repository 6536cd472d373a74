package saml

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// ArtifactService is an address of an identity provider that resolves its artifacts, by SOAP: an
// ArtifactResolutionService (Metadata 2.4.3).
type ArtifactService struct {
	// Index is the EndpointIndex in the artifacts that this address resolves. No two addresses have the same.
	Index uint16
	URL   string
}

// ArtifactServices lists the addresses that resolve artifacts, by index. Empty: the identity provider's artifacts are
// refused.
func (i *IdP) ArtifactServices() (all []ArtifactService) {
	for index, url := range i.artifacts {
		all = append(all, ArtifactService{index, url})
	}
	slices.SortFunc(all, func(a, b ArtifactService) int { return cmp.Compare(a.Index, b.Index) })
	return all
}

// setArtifactServices sets the addresses of a description without metadata.
func (i *IdP) setArtifactServices(services []ArtifactService) error {
	i.artifacts = make(map[uint16]string, len(services))
	for _, s := range services {
		if err := checkLocation("URL", s.URL); err != nil {
			return metadataError("Artifact.URL", "%s", err.Detail)
		}
		if _, dup := i.artifacts[s.Index]; dup {
			return metadataError("Artifact.Index", "%d is that of several addresses", s.Index)
		}
		i.artifacts[s.Index] = s.URL
	}
	return nil
}

// checkArtifacts checks that the artifacts of a list of endpoints can be resolved.
func (cfg *Config) checkArtifacts(l *acsList) error {
	_, bySource := cfg.IdPs.(SourceIdPs)
	for i, e := range l.all {
		field := fmt.Sprintf("Config.ACS[%d].ArtifactIndex", i)
		switch {
		case e.ArtifactIndex == nil:
		case cfg.Key == nil:
			return configError(field, "needs Config.Key, because each ArtifactResolve is signed")
		case cfg.IdPs != nil && !bySource:
			return configError(field, "needs Config.IdPs to find identity providers by SourceID (SourceIdPs)")
		}
	}
	return nil
}

// artifactServices reads the addresses of all roles that resolve artifacts. One that can't be used, or whose index
// another has, is ignored with a warning. Its artifacts are then refused: no other address is tried.
func (d *metadataDecoder) artifactServices(idp *IdP, roles []xmltree.Node) {
	found, repeated := make(map[uint16]string), make(map[uint16]bool)
	var all []artifactService
	for _, role := range roles {
		for n := role.Child(xmltree.Metadata, "ArtifactResolutionService"); n.OK(); n = n.NextSame() {
			s := readArtifactService(d, n)
			if d.report != nil {
				all = append(all, s)
			}
			switch {
			case s.binding != SOAP: // SAML 1.1 has one of its own
				continue
			case s.ignored != "":
				d.warn("ArtifactResolutionService: " + s.ignored)
				continue
			}
			if _, twice := found[s.Index]; twice {
				d.warn("ArtifactResolutionService: " + s.severalHave())
				repeated[s.Index] = true
			}
			found[s.Index] = s.URL
		}
	}
	for index := range repeated {
		delete(found, index)
	}
	idp.artifacts = found
	for _, s := range all {
		if s.ignored == "" && repeated[s.Index] {
			s.ignored = s.severalHave()
		}
		d.report.addService(ServiceReport{
			Element: "ArtifactResolutionService", Binding: s.binding, URL: s.URL, Index: s.index, Ignored: s.ignored,
		})
	}
}

// artifactService is an ArtifactService as it is read.
type artifactService struct {
	ArtifactService
	binding, index string
	ignored        string // why it is not used
}

func (s *artifactService) severalHave() string {
	return "several have the index " + strconv.Itoa(int(s.Index))
}

func readArtifactService(d *metadataDecoder, n xmltree.Node) (s artifactService) {
	s.binding, s.URL = d.anyURI(n, "Binding"), d.anyURI(n, "Location")
	raw, _ := n.Attr("index")
	s.index = collapse(raw)
	number, err := strconv.ParseUint(s.index, 10, 16)
	s.Index = uint16(number)
	switch location := checkDirectLocation("Location", s.URL); {
	case s.binding != SOAP:
		s.ignored = "the binding is not SOAP"
	case err != nil:
		s.ignored = "the index " + quote(raw) + " is not an xs:unsignedShort"
	case location != nil:
		s.ignored = location.Detail
	}
	return s
}
