"""A web server that is no good CA: it answers with whatever a scene tells it to."""

import contextlib
import http.server
import json
import socket
import ssl
import threading

import servers


class Impostor:
    """Pages by path: (code, headers, body) or a function of the request that gives one. Unknown paths are 404. It
    believes every signature. `seen` are the requests, (method, path)."""

    def __init__(self, authority, wants_client=False):
        impostor = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                impostor.seen.append((self.command, self.path))
                page = impostor.pages.get(self.path, (404, {}, "no such page"))
                code, headers, body = page(self) if callable(page) else page
                body = (json.dumps(body) if isinstance(body, dict) else body).encode()
                self.send_response(code)
                for name, value in {"Replay-Nonce": "bm9uY2U", "Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_HEAD = do_POST = answer  # noqa: N815 (names of the library)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # clients that go away in the middle are what scenes are about
                pass

            def shutdown_request(self, request):
                """Reads what still comes, before it closes: a reset would meet the client in the middle of its flight, and it would
                never read the alert that it was answered."""
                with contextlib.suppress(OSError):
                    request.settimeout(5)
                    socket.socket.shutdown(request, socket.SHUT_WR)
                    while socket.socket.recv(request, 4096):  # past TLS
                        pass
                self.close_request(request)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.certificate, authority.key)
        if wants_client:
            context.load_verify_locations(authority.root)
            context.verify_mode = ssl.CERT_REQUIRED
        self.pages, self.seen = {}, []
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_port
        self.http_port = servers.free_port()
        self.url = f"https://localhost:{self.port}"
        self.directory = self.url + "/dir"
        self.ca_file = authority.root
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def urls(self, **changed):
        """What a directory holds, with members changed."""
        return {"newNonce": self.url + "/nonce", "newAccount": self.url + "/account", "newOrder": self.url + "/order",
                "revokeCert": self.url + "/revoke", "keyChange": self.url + "/key", **changed}

    def up_to_order(self, order):
        """Pages of a CA that knows everybody, and gives this answer to every order."""
        self.pages = {"/dir": (200, {}, self.urls()), "/nonce": (200, {}, ""),
                      "/account": (201, {"Location": self.url + "/account/1"}, {"status": "valid"}), "/order": order}
