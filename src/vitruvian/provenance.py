"""What a picture says about itself: the program, the network, the code it was made from, and that it is synthetic."""

from __future__ import annotations

import json
from typing import Any

PNG_KEY = "vitruvian"
SYNTHETIC = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    'Iptc4xmpExt:DigitalSourceType="{source}" xmp:CreatorTool="{tool}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def png_text(facts: dict[str, Any]) -> dict[str, str]:
    """Text entries of a PNG: ``Software`` for any viewer, and all facts as JSON under ``vitruvian``."""
    from vitruvian import __version__

    program = f"vitruvian {__version__}"
    return {"Software": program, PNG_KEY: json.dumps({"program": program, **facts}, sort_keys=True)}


def xmp_packet() -> str:
    """XMP with the IPTC digital source type of pictures made by a trained model."""
    from vitruvian import __version__

    return _XMP.format(source=SYNTHETIC, tool=f"vitruvian {__version__}")
