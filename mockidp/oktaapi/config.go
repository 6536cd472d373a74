package oktaapi

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/configfile"
)

// maxConfig is how many bytes of a configuration are read, and a little more for the form around it.
const maxConfig = 8<<20 + 64<<10

// configRoutes has the whole configuration as one file (package configfile).
func configRoutes(api router) {
	api("GET /control/config", (*call).showConfig)
	api("PUT /control/config", (*call).replaceConfig)
}

// configuration returns the present configuration as a file.
func (s *API) configuration(privateKeys bool) ([]byte, error) {
	return configfile.Write(s.idp.Config(), configfile.Options{PrivateKeys: privateKeys})
}

func (c *call) showConfig() *apiError {
	keys := c.r.URL.Query().Get("privateKeys")
	with, err := strconv.ParseBool(keys)
	if err != nil && keys != "" {
		return invalid("privateKeys", "true or false")
	}
	file, err := c.configuration(with)
	if err != nil {
		return fromError(err, "config")
	}
	c.w.Header().Set("Content-Type", "application/json")
	_, _ = c.w.Write(file)
	return nil
}

// replaceConfig replaces the whole configuration, or nothing if the file is invalid.
func (c *call) replaceConfig() *apiError {
	file, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxConfig))
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return &apiError{Status: http.StatusRequestEntityTooLarge, Code: "E0000003",
			Summary: "The request body was too large."}
	}
	var conf mockidp.Config
	if err == nil {
		conf, err = configfile.Read(file)
	}
	if err == nil {
		err = c.idp.Replace(conf)
	}
	return c.done(err, "config")
}
