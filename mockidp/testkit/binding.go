package testkit

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"io"
)

// Deflated returns a message as the HTTP-Redirect binding has it in a query,
// before escaping (Bindings 3.4.4.1).
func Deflated(message []byte) string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err == nil {
		if _, err = w.Write(message); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		panic("testkit: " + err.Error()) // memory takes everything
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// Inflated reads what Deflated returns, as a test does that looks at the request
// of a service provider. It reads at most 1 MiB.
func Inflated(value string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), 1<<20))
}
