"""A web archive as another tool writes it, imported and quoted.

Makes the same captures with warcio, plain and compressed, and with one record damaged; imports
them into a running daemon with the program itself, and checks what came out: which records were
taken, as what, byte for byte, and that a passage of the page in windows-1251 is found.

    pip install warcio
    python tests/python/web_archive.py path/to/onrecord http://127.0.0.1:7450 steward.key

Run by .ci/warc.
"""

import gzip
import io
import json
import pathlib
import subprocess
import sys
import tempfile

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

SITE = "https://news.example"
ENGLISH = "<title>Briefing</title><p>The President is <em>open</em> to a&nbsp;meeting.</p>"
RUSSIAN = "<p>Президент открыт к&nbsp;встрече, &laquo;если она подготовлена&raquo;.</p>"
PASSAGE = "Президент открыт к встрече, «если она подготовлена»"
NOTE = b"A note of the archivist's.\n"
DAMAGED = b"<p>This page was damaged on its way.</p>"


def page(body, media_type, *more):
    """The head and body of a response."""
    headers = [("Content-Type", media_type), *more]
    return {
        "payload": io.BytesIO(body),
        "http_headers": StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1"),
    }


def write(path, compress):
    """Writes a web archive, and damages a byte of its last page."""
    with open(path, "wb") as out:
        writer = WARCWriter(out, gzip=compress)

        def record(url, kind, at, **content):
            headers = {"WARC-Date": f"2025-08-{at}T06:00:00Z"}
            written = writer.create_warc_record(
                SITE + url, kind, warc_headers_dict=headers, **content
            )
            writer.write_record(written)
            return written

        writer.write_record(writer.create_warcinfo_record(path.name, {"software": "warcio"}))
        english = ENGLISH.encode()
        request = StatusAndHeaders("GET /en HTTP/1.1", [("Host", "news.example")], is_http_request=True)
        record("/en", "request", 20, http_headers=request)
        packed = ("Content-Encoding", "gzip")
        whole = page(gzip.compress(english, mtime=0), "text/html; charset=utf-8", packed)
        first = record("/en", "response", 20, **whole)
        russian = RUSSIAN.encode("windows-1251")
        record("/ru", "response", 20, **page(russian, "text/html; charset=windows-1251"))
        record("/note", "resource", 20, payload=io.BytesIO(NOTE), warc_content_type="text/plain")
        again = writer.create_revisit_record(
            SITE + "/en",
            first.rec_headers.get_header("WARC-Payload-Digest"),
            SITE + "/en",
            "2025-08-20T06:00:00Z",
            http_headers=first.http_headers,
            warc_headers_dict={"WARC-Date": "2025-08-21T06:00:00Z"},
        )
        writer.write_record(again)
        begins = out.tell()
        record("/damaged", "response", 20, **page(DAMAGED, "text/html"))
    written = bytearray(path.read_bytes())
    if compress:
        place = (begins + len(written)) // 2
    else:
        place = written.index(b"damaged on", begins)
    written[place] ^= 0x20
    path.write_bytes(written)


class Archive:
    """The program, and the daemon that it speaks to."""

    def __init__(self, onrecord, server, key):
        self.onrecord, self.server, self.key = onrecord, server, key

    def run(self, *arguments, code=0):
        ended = subprocess.run(
            [self.onrecord, *arguments, "--server", self.server], capture_output=True, check=False
        )
        assert ended.returncode == code, (arguments, ended)
        return ended

    def imported(self, path):
        """What an import tells, by URL and day, once it told that one record is damaged."""
        ended = self.run("source", "import", str(path), code=1)
        told = ended.stderr.decode()
        assert "4 captures (3 html-text/1, 1 plain-text/1)" in told, told
        assert "2 records left out, 1 passed over" in told, told
        assert f"{path}: offset " in told and "passed over: " in told, told
        lines = [json.loads(line)["sourceArchived"] for line in ended.stdout.splitlines()]
        return {(it["url"].removeprefix(SITE), it["capturedAt"][8:10]): it for it in lines}

    def check(self, path):
        """Checks what came of a web archive, and puts it on record."""
        captures = self.imported(path)
        assert sorted(captures) == [("/en", "20"), ("/en", "21"), ("/note", "20"), ("/ru", "20")]
        first, again = captures["/en", "20"], captures["/en", "21"]
        assert first["source"] == again["source"], "a revisit repeats the document"
        for name, media_type, body in [
            ("/en", "text/html; charset=utf-8", ENGLISH.encode()),
            ("/ru", "text/html; charset=windows-1251", RUSSIAN.encode("windows-1251")),
            ("/note", "text/plain", NOTE),
        ]:
            capture = captures[name, "20"]
            assert capture["mediaType"] == media_type, capture
            assert int(capture["sizeBytes"]) == len(body), capture
            assert capture["publisher"] == "news.example", capture
            assert self.run("source", "get", capture["source"]).stdout == body, name
        return captures


def main():
    archive = Archive(*sys.argv[1:4])
    with tempfile.TemporaryDirectory() as home:
        plain = pathlib.Path(home, "plain.warc")
        compressed = pathlib.Path(home, "compressed.warc.gz")
        write(plain, compress=False)
        write(compressed, compress=True)
        captures = archive.check(plain)
        assert archive.check(compressed) == captures, "the same captures, however they are kept"

        signed = ["source", "import", str(plain), "--key", archive.key]
        told = archive.run(*signed, code=1).stderr.decode()
        assert "4 recorded, 0 already on record, 0 refused" in told, told
        told = archive.run(*signed, code=1).stderr.decode()
        assert "0 recorded, 4 already on record, 0 refused" in told, told

        russian = captures["/ru", "20"]["source"]
        found = archive.run("source", "text", russian, "--find", PASSAGE).stdout.decode()
        assert "stands once" in found, found
    print("web archives by warcio are imported: 4 captures each, the damaged record passed over")


main()
