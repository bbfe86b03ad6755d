/* The part of fake_cuda.c that makes and launches graphs, which includes it. */
int cuGraphCreate(void **result, unsigned flags) {
  ENTER("cuGraphCreate");
  NEED_CONTEXT();
  *result = flags ? NULL : calloc(1, sizeof(graph));
  if (!*result)
    return OUT_OF_MEMORY;
  ++graphs;
  return 0;
}

/* Nodes form a line: each but the first comes behind the one before it, by an edge of its own if it waits by itself. */
static int add_node(void **node, void *to, void *const *before, size_t num_before, work item) {
  graph *made = to;
  if (made->num_nodes == MAX_NODES)
    return misuse("more nodes than a test should need", OUT_OF_MEMORY);
  if (num_before > 1 || (num_before && *before != &made->nodes[made->num_nodes - 1]))
    return misuse("a node that is not behind the one before it", INVALID_VALUE);
  item.has_edge = num_before || !made->num_nodes;
  made->nodes[made->num_nodes] = item;
  *node = &made->nodes[made->num_nodes++];
  return 0;
}

int cuGraphAddKernelNode(void **node, void *graph, void *const *before, size_t num_before,
                         const fake_cuda_kernel_node *kernel) {
  ENTER("cuGraphAddKernelNode");
  NEED_CONTEXT();
  work item;
  int failure = make_launch(kernel->function, kernel->grid, kernel->block, kernel->args, kernel->extra, &item);
  return failure ? failure : add_node(node, graph, before, num_before, item);
}

int cuGraphKernelNodeSetAttribute(void *node, int id, const void *value) {
  ENTER("cuGraphKernelNodeSetAttribute");
  work *item = node;
  if (id != CLUSTER || !item->code)
    return misuse("an attribute that no node has", INVALID_VALUE);
  item->cluster = *(const unsigned *)value;
  return 0;
}

int cuGraphAddDependencies_v2(void *graph_handle, void *const *from, void *const *to, const unsigned char *edge,
                              size_t count) {
  ENTER("cuGraphAddDependencies");
  work *before = *from, *after = *to;
  graph *made = graph_handle;
  int is_early = edge[0] == 1 && edge[1] == 0 && edge[2] == 1;
  if (is_early && number_of("FAKE_CUDA_OLD", 0))
    return INVALID_VALUE;
  if (count != 1 || after != before + 1 || after != &made->nodes[made->num_nodes - 1] || after->has_edge ||
      (!is_early && (edge[0] || edge[1] || edge[2])) || (is_early && !(before->code && after->kernel->waits)))
    return misuse("an edge that should not be", INVALID_VALUE);
  after->has_edge = 1;
  return 0;
}

int cuGraphAddMemcpyNode(void **node, void *graph, void *const *before, size_t num_before,
                         const fake_cuda_copy_node *copy, void *in) {
  ENTER("cuGraphAddMemcpyNode");
  NEED_CONTEXT();
  void *target = (void *)(uintptr_t)copy->target.device, *source = (void *)(uintptr_t)copy->source.device;
  if (in != &context || copy->target.type != 2 || copy->source.type != 2 || copy->height != 1 || copy->depth != 1 ||
      !is_live(target, copy->width) || !is_live(source, copy->width))
    return misuse("a node copies within what is no device memory", INVALID_VALUE);
  return add_node(node, graph, before, num_before, (work){.target = target, .source = source, .bytes = copy->width});
}

int cuGraphInstantiateWithFlags(void **exec, void *captured, unsigned long long flags) {
  ENTER("cuGraphInstantiate");
  NEED_CONTEXT();
  if (flags)
    return misuse("an instantiation with flags", INVALID_VALUE);
  graph *made = malloc(sizeof(graph));
  if (!made)
    return OUT_OF_MEMORY;
  *made = *(graph *)captured;
  for (size_t i = 0; i < made->num_nodes; ++i)
    if (!made->nodes[i].has_edge) {
      free(made);
      return misuse("a node that is behind nothing", INVALID_VALUE);
    }
  ++execs;
  *exec = made;
  return 0;
}

int cuGraphLaunch(void *exec, void *stream) {
  ENTER("cuGraphLaunch");
  NEED_CONTEXT();
  if (capture_of(stream))
    return misuse("a graph in a graph", INVALID_VALUE);
  graph *launched = exec;
  for (size_t i = 0; i < launched->num_nodes; ++i) {
    work item = launched->nodes[i];
    item.stream = stream;
    if (!item.code && (!is_live(item.target, item.bytes) || !is_live(item.source, item.bytes)))
      return misuse("a graph copies within what is no device memory any more", INVALID_VALUE);
    int failure = enqueue(item);
    if (failure)
      return failure;
  }
  return 0;
}

int cuGraphDestroy(void *captured) {
  int failure = enter("cuGraphDestroy");
  --graphs;
  free(captured);
  return failure;
}

int cuGraphExecDestroy(void *exec) {
  int failure = enter("cuGraphExecDestroy");
  --execs;
  free(exec);
  return failure;
}
