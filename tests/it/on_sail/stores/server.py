"""A private S3 server, and a client of its own to look at it with.

It prints its port, then answers each line on standard input (a JSON list: a word and its arguments) with a line of JSON.
It ends when standard input does, and so with the test.
"""

import json
import logging
import sys

import boto3
from moto.server import ThreadedMotoServer

logging.getLogger("werkzeug").setLevel(logging.ERROR)


def main():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    say(port)
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    for line in sys.stdin:
        word, *arguments = json.loads(line)
        say(ANSWERS[word](client, *arguments))


def create(client, bucket):
    client.create_bucket(Bucket=bucket)


def put(client, bucket, key, text):
    client.put_object(Bucket=bucket, Key=key, Body=text.encode())


def objects(client, bucket):
    found = client.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {one["Key"]: one["Size"] for one in found}


def uploads(client, bucket):
    return [one["Key"] for one in client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


def download(client, bucket, key, path):
    client.download_file(bucket, key, path)


def say(answer):
    print(json.dumps(answer), flush=True)


ANSWERS = {
    "create": create,
    "put": put,
    "objects": objects,
    "uploads": uploads,
    "download": download,
}

main()
