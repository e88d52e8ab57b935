"""Asks /health over and over until its standard input ends, then prints the seconds that each answer took, as JSON.

A process of its own: what floods the server shall not slow down who measures.
"""

import http.client
import json
import select
import sys
import time


def main(host: str, port: int) -> None:
    taken = []
    while not select.select([sys.stdin], [], [], 0)[0]:
        began = time.perf_counter()
        connection = http.client.HTTPConnection(host, port, timeout=10)
        connection.request("GET", "/health")
        response = connection.getresponse()
        assert response.status == 200, response.status
        response.read()
        connection.close()
        taken.append(time.perf_counter() - began)
        time.sleep(0.002)
    print(json.dumps(taken))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
