# ruby-saml as a service provider. Beside what names the two sides and their
# keys, its configuration is the default. The answer must be to the request that
# this browser made last, where it made one, as ruby-saml's manual proposes.
#
# The pages, the command line and what is said when ready are those of host.py.
require "onelogin/ruby-saml"
require "securerandom"
require "webrick"

PORT = Integer(ARGV[0])
BASE = "http://127.0.0.1:#{PORT}"

idp = OneLogin::RubySaml::IdpMetadataParser.new.parse(File.read(ARGV[1]))
# The format that the identity provider names is not what this side asks for.
idp.name_identifier_format = nil
SETTINGS = idp.tap do |s|
  s.sp_entity_id = "#{BASE}/metadata"
  s.assertion_consumer_service_url = "#{BASE}/acs"
  s.single_logout_service_url = "#{BASE}/logout"
  s.certificate = File.read(File.join(ARGV[2], "sp.crt"))
  s.private_key = File.read(File.join(ARGV[2], "sp.key"))
end

SESSIONS = {} # cookie to what is known of a browser
LOCK = Mutex.new

def session(request)
  cookie = request.cookies.find { |c| c.name == "session" }
  LOCK.synchronize { SESSIONS[cookie&.value] } || {}
end

def begin_session(response, values)
  sid = SecureRandom.urlsafe_base64(24)
  LOCK.synchronize { SESSIONS[sid] = values }
  response["Set-Cookie"] = "session=#{sid}; Path=/; HttpOnly"
end

def redirect(response, status, to)
  response.status = status
  response["Location"] = to
end

def text(response, status, body, type = "text/plain; charset=utf-8")
  response.status = status
  response["Content-Type"] = type
  response.body = body
end

server = WEBrick::HTTPServer.new(
  BindAddress: "127.0.0.1", Port: PORT, AccessLog: [], Logger: WEBrick::Log.new($stderr, WEBrick::Log::WARN),
  StartCallback: -> { $stdout.puts "listening on #{BASE}"; $stdout.flush }
)
server.mount_proc("/login") do |_, response|
  request = OneLogin::RubySaml::Authrequest.new
  to = request.create(SETTINGS)
  begin_session(response, request: request.uuid)
  redirect(response, 302, to)
end
server.mount_proc("/acs") do |request, response|
  known = session(request)
  options = { settings: SETTINGS }
  options[:matches_request_id] = known[:request] if known[:request]
  begin
    answer = OneLogin::RubySaml::Response.new(request.query["SAMLResponse"].to_s, options)
    if answer.is_valid?
      begin_session(response, user: answer.nameid)
      known.delete(:request)
      redirect(response, 303, "/whoami")
    else
      text(response, 403, "refused: #{answer.errors.join('; ')[0, 500]}\n")
    end
  rescue StandardError => e
    text(response, 403, "refused: #{e.class}: #{e.message[0, 500]}\n")
  end
end
# As in its README: the session that the cookie names ends.
server.mount_proc("/logout") do |request, response|
  begin
    asked = OneLogin::RubySaml::SloLogoutrequest.new(
      request.query["SAMLRequest"].to_s, settings: SETTINGS, get_params: request.query.to_h
    )
    if asked.is_valid?
      session(request).delete(:user)
      answer = OneLogin::RubySaml::SloLogoutresponse.new
      redirect(response, 302, answer.create(SETTINGS, asked.id, nil, RelayState: request.query["RelayState"]))
    else
      text(response, 403, "refused: #{asked.errors.join('; ')[0, 500]}\n")
    end
  rescue StandardError => e
    text(response, 403, "refused: #{e.class}: #{e.message[0, 500]}\n")
  end
end
server.mount_proc("/metadata") do |_, response|
  text(response, 200, OneLogin::RubySaml::Metadata.new.generate(SETTINGS), "application/samlmetadata+xml")
end
server.mount_proc("/whoami") do |request, response|
  user = session(request)[:user]
  text(response, 200, user ? "user=#{user}\n" : "signed out\n")
end
trap("TERM") { server.shutdown }
server.start
