package migrated

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Service is a running program.
type Service struct{ cmd *exec.Cmd }

// Start writes the files that the programs read, builds a program, and starts it.
func Start(root, dir, source, port string, key crypto.Signer, cert *x509.Certificate, idp []byte) (*Service, error) {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	for name, content := range map[string][]byte{
		"myservice.key":    pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}),
		"myservice.cert":   pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}),
		"idp-metadata.xml": idp,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return nil, err
		}
	}
	program, err := Build(root, dir, source, port)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program)
	if strings.Contains(source, `"idp-metadata", ""`) { // a flag of example/trivial
		cmd.Args = append(cmd.Args, "-idp-metadata", "idp-metadata.xml")
	}
	cmd.Dir = dir
	return &Service{cmd}, cmd.Start()
}

// Stop ends the program.
func (s *Service) Stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}
