package awsapi

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// route finds the operation that a request names.
func (s *Service) route(call *Call) (Handler, error) {
	switch s.cfg.Protocol {
	case JSON:
		return s.routeTarget(call)
	case Query:
		return s.routeAction(call)
	}
	call.Operation = call.HTTP.Method + " " + call.HTTP.URL.Path
	if h := s.cfg.Operations[call.Operation]; h != nil {
		return h, nil
	}
	call.Operation = "" // it is the client's text
	return nil, &Exception{Name: "UnknownOperationException", Status: http.StatusNotFound, Message: "No such operation"}
}

func (s *Service) routeTarget(call *Call) (Handler, error) {
	r := call.HTTP
	targets := r.Header.Values("X-Amz-Target")
	if r.Method == http.MethodPost && r.URL.Path == "/" && len(targets) == 1 {
		if name, ok := strings.CutPrefix(targets[0], s.cfg.TargetPrefix+"."); ok && s.cfg.Operations[name] != nil {
			call.Operation = name
			return s.cfg.Operations[name], nil
		}
	}
	return nil, &Exception{Name: "UnknownOperationException", Message: "No such operation"}
}

// routeAction reads the form. Parameters of the URL are not read: a signature covers them too, but a client never sends
// them, and two places for one value are one too many.
func (s *Service) routeAction(call *Call) (Handler, error) {
	r := call.HTTP
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || r.URL.Path != "/" || r.URL.RawQuery != "" || err != nil ||
		media != "application/x-www-form-urlencoded" {
		return nil, &Exception{Name: "InvalidAction", Message: "Send the action as a form to the path /"}
	}
	form, err := url.ParseQuery(string(call.Body))
	if err != nil {
		return nil, badInput("body", "a form", "")
	}
	for name, values := range form {
		if len(values) > 1 {
			return nil, badInput("body", "one value for each name", name)
		}
	}
	name := form.Get("Action")
	if s.cfg.Operations[name] == nil || form.Get("Version") != s.cfg.Version {
		return nil, &Exception{Name: "InvalidAction", Message: "No such action in version " + s.cfg.Version}
	}
	call.Operation, call.Form = name, form
	return s.cfg.Operations[name], nil
}

func (s *Service) answer(w http.ResponseWriter, call *Call, result any) {
	if s.cfg.Protocol == Query {
		s.writeXML(w, http.StatusOK, call.Operation+"Response", func(e *xml.Encoder) error {
			if result == nil {
				return nil
			}
			return e.EncodeElement(result, element(call.Operation+"Result"))
		}, call)
		return
	}
	if result == nil {
		w.WriteHeader(http.StatusOK)
		return
	}
	s.writeJSON(w, http.StatusOK, result)
}

func (s *Service) fail(w http.ResponseWriter, call *Call, ex *Exception) {
	status := ex.status()
	switch s.cfg.Protocol {
	case Query:
		party := "Sender"
		if status >= 500 {
			party = "Receiver"
		}
		s.writeXML(w, status, "ErrorResponse", func(e *xml.Encoder) error {
			return e.EncodeElement(struct{ Type, Code, Message string }{party, ex.Name, ex.Message}, element("Error"))
		}, call)
	case JSON:
		if status < 500 {
			status = http.StatusBadRequest
		}
		s.writeJSON(w, status, ex.body("Message"))
	default:
		s.writeJSON(w, status, ex.body("message"))
	}
}

func (s *Service) writeJSON(w http.ResponseWriter, status int, v any) {
	media := "application/json"
	if s.cfg.Protocol == JSON {
		media = "application/x-amz-json-1.1"
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // a result of a type that JSON doesn't have
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	_, _ = w.Write(raw) // the client may be gone
}

// writeXML writes an element of the service's namespace. With a result the request's ID is in ResponseMetadata, with an
// error it stands alone.
func (s *Service) writeXML(w http.ResponseWriter, status int, name string, body func(*xml.Encoder) error, call *Call) {
	var out bytes.Buffer
	e := xml.NewEncoder(&out)
	root := xml.StartElement{
		Name: xml.Name{Local: name}, Attr: []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: s.cfg.Namespace}},
	}
	err := e.EncodeToken(root)
	if err == nil {
		err = body(e)
	}
	if err == nil && status == http.StatusOK {
		err = e.EncodeElement(struct{ RequestId string }{call.RequestID}, element("ResponseMetadata"))
	} else if err == nil {
		err = e.EncodeElement(call.RequestID, element("RequestId"))
	}
	if err == nil {
		err = e.EncodeToken(root.End())
	}
	if err == nil {
		err = e.Flush()
	}
	if err != nil {
		panic(err) // a result of a type that XML doesn't have
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the client may be gone
}

func element(name string) xml.StartElement { return xml.StartElement{Name: xml.Name{Local: name}} }
