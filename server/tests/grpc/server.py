"""The shop's orders as a real gRPC service, without generated code: server.py SHOP.BINPB. Prints its port."""

import sys
import time
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

files = descriptor_pb2.FileDescriptorSet()
with open(sys.argv[1], "rb") as file:
    files.ParseFromString(file.read())
pool = descriptor_pool.DescriptorPool()
for file in files.file:
    pool.Add(file)


def message(name):
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


Order, OrderList, ListOrders = message("shop.Order"), message("shop.OrderList"), message("shop.ListOrders")
orders = {}


def get(request, context):
    # Ids for what no honest order does: `status-9`, `slow`, `large`, `metadata`.
    kind, _, number = request.id.partition("-")
    if kind == "status":
        context.abort({code.value[0]: code for code in grpc.StatusCode}[int(number)], f"status {number}: \u00f6 \n%")
    if kind == "slow":
        # Until the deadline that the caller named, which ends the call.
        while context.is_active():
            time.sleep(0.01)
    if kind == "large":
        return Order(id="large", receipt=bytes(2 * 1024 * 1024))
    if kind == "metadata":
        labels = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        context.send_initial_metadata((("x-shop", "open"), ("x-secret-bin", b"\0")))
        return Order(id="metadata", labels=labels, number=int(context.time_remaining()))
    if request.id not in orders:
        context.abort(grpc.StatusCode.NOT_FOUND, f'no order "{request.id}"')
    return orders[request.id]


def list_orders(request, context):
    found = [order for order in orders.values() if order.customer == request.customer]
    return OrderList(orders=found, asked=request)


def place(request, context):
    if request.id in orders:
        context.abort(grpc.StatusCode.ALREADY_EXISTS, "placed before")
    if not request.items:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "nothing in it")
    request.status = 1
    orders[request.id] = request
    return request


def handler(behaviour, request):
    return grpc.unary_unary_rpc_method_handler(
        behaviour, request_deserializer=message(request).FromString, response_serializer=lambda it: it.SerializeToString()
    )


server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
methods = {
    "Get": handler(get, "shop.GetOrder"),
    "List": handler(list_orders, "shop.ListOrders"),
    "Place": handler(place, "shop.Order"),
}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.Orders", methods),))
print(server.add_insecure_port("127.0.0.1:0"), flush=True)
server.start()
# Ends with the test: its end of the pipe closes.
sys.stdin.read()
server.stop(None)
