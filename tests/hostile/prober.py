"""Asks /health over and over until its standard input ends, then prints the seconds that each answer took, as JSON.

A line before says that the first answer has come.

A process of its own: what floods the server shall not slow down who measures.
"""

import http.client
import json
import select
import sys
import time


def main(host: str, port: int) -> None:
    taken = []
    while not taken or not select.select([sys.stdin], [], [], 0)[0]:
        began = time.perf_counter()
        connection = http.client.HTTPConnection(host, port, timeout=10)
        connection.request("GET", "/health")
        response = connection.getresponse()
        assert response.status == 200, response.status
        response.read()
        connection.close()
        taken.append(time.perf_counter() - began)
        if len(taken) == 1:
            print("begun", flush=True)
        time.sleep(0.002)
    print(json.dumps(taken))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
