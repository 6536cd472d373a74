package saml

import (
	"fmt"
	"strconv"
)

const (
	discoveryProtocol = "urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol"
	requestInitiation = "urn:oasis:names:tc:SAML:profiles:SSO:request-init"
)

// checkDiscovery checks the addresses that our metadata gives to other programs.
func (cfg *Config) checkDiscovery() error {
	for name, list := range map[string][]string{
		"Config.DiscoveryResponses": cfg.DiscoveryResponses, "Config.RequestInitiators": cfg.RequestInitiators,
	} {
		for i, raw := range list {
			if err := checkURL(fmt.Sprintf("%s[%d]", name, i), raw, cfg.InsecureAllowHTTP); err != nil {
				return err
			}
		}
	}
	return nil
}

// discovery writes the RequestInitiators (Service Provider Request Initiation Protocol
// and Profile) and the DiscoveryResponses (Identity Provider Discovery Service Protocol
// and Profile).
func (w *metadataWriter) discovery() {
	for _, location := range w.cfg.RequestInitiators {
		w.leaf("init:RequestInitiator", "", attribute{"xmlns:init", requestInitiation},
			attribute{"Binding", requestInitiation}, attribute{"Location", location})
	}
	for i, location := range w.cfg.DiscoveryResponses {
		w.leaf("idpdisc:DiscoveryResponse", "", attribute{"xmlns:idpdisc", discoveryProtocol},
			attribute{"Binding", discoveryProtocol}, attribute{"Location", location},
			attribute{"index", strconv.Itoa(i + 1)})
	}
}
