package awsapi

import "net/http"

// Services are the services of a Region. Nil: the Region doesn't have it.
type Services struct {
	OIDC   http.Handler // package oidc
	Access http.Handler // package access
	STS    http.Handler // package sts
}

// hosts are the names under which AWS's clients look for the services of a Region, with IPv4 and dual-stack.
func hosts(name, region string) []string {
	return []string{name + "." + region + ".amazonaws.com", name + "." + region + ".api.aws"}
}

// Mux returns a handler for all services of a Region. It finds them by AWS's own host names, such as
// oidc.eu-central-1.amazonaws.com, portal.sso.eu-central-1.amazonaws.com and sts.eu-central-1.amazonaws.com, and by the
// path at any other host. So one loopback address serves clients that are configured with an endpoint_url.
func Mux(region string, s Services) http.Handler {
	mux := http.NewServeMux()
	for _, service := range []struct {
		name    string
		handler http.Handler
		paths   []string // at other hosts
	}{
		{"oidc", s.OIDC, []string{"/client/register", "/device_authorization", "/token", "/authorize"}},
		{"portal.sso", s.Access, []string{"/federation/credentials", "/assignment/", "/logout"}},
		{"sts", s.STS, []string{"/{$}"}},
	} {
		if service.handler == nil {
			continue
		}
		for _, host := range hosts(service.name, region) {
			mux.Handle(host+"/", service.handler)
		}
		for _, path := range service.paths {
			mux.Handle(path, service.handler)
		}
	}
	return mux
}
