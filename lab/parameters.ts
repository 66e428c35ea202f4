/**
 * Checks the parameters of a call against the recorded schemas, in Xen Orchestra's dialect of JSON Schema: properties
 * are required unless `optional`, nothing additional is allowed without a `*`, strings must not be empty.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { invalidParameters } from './errors.ts';
import type { Json, JsonObject } from './json.ts';

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, useDefaults: true });
const compiled = new Map<string, ValidateFunction>();

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** May a value of this schema be of `type`? Schemas without a type say nothing. */
function allows(schema: JsonObject, type: string): boolean {
  return schema.type === type || (Array.isArray(schema.type) && schema.type.includes(type));
}

function objectSchema(schema: JsonObject): JsonObject {
  const { '*': wildcard, ...declared } = isObject(schema.properties) ? schema.properties : {};
  const required: string[] = [];
  const properties: Record<string, Json> = {};
  for (const [key, property] of Object.entries(declared)) {
    if (!isObject(property)) continue;
    const { optional, ...rest } = property;
    if (optional !== true) required.push(key);
    properties[key] = standardSchema(rest);
  }
  const { additionalProperties } = schema;
  const additional =
    additionalProperties === undefined
      ? (wildcard ?? Object.keys(properties).length === 0)
      : isObject(additionalProperties)
        ? standardSchema(additionalProperties)
        : additionalProperties;
  return {
    ...schema,
    properties,
    additionalProperties: additional,
    ...(required.length > 0 ? { required } : {}),
  };
}

/** The same schema in the standard's words. */
function standardSchema(schema: JsonObject): JsonObject {
  if (schema.enum !== undefined) return schema;
  let standard = schema;
  if (allows(schema, 'array') && isObject(schema.items)) {
    standard = { ...standard, items: standardSchema(schema.items) };
  }
  if (allows(schema, 'object')) standard = objectSchema(standard);
  const free = schema.minLength === undefined && schema.format === undefined && schema.pattern === undefined;
  if (allows(schema, 'string') && free) standard = { ...standard, minLength: 1 };
  return standard;
}

function validator(method: string, params: JsonObject): ValidateFunction {
  const known = compiled.get(method);
  if (known) return known;
  const made = ajv.compile(standardSchema({ type: 'object', properties: params }));
  compiled.set(method, made);
  return made;
}

/** Keys marked as ignorable (`key?`) lose the mark; returns those. */
function unmark(given: Record<string, Json>): Set<string> {
  const ignorable = new Set<string>();
  for (const key of Object.keys(given).filter((one) => one.endsWith('?'))) {
    const name = key.slice(0, -1);
    if (Object.hasOwn(given, name)) throw new Error(`conflicting keys: ${name} and ${key}`);
    given[name] = given[key] ?? null;
    delete given[key];
    ignorable.add(name);
  }
  return ignorable;
}

function errorData(error: ErrorObject): JsonObject {
  const { instancePath, schemaPath, keyword, params, message } = error;
  return { instancePath, schemaPath, keyword, params, ...(message === undefined ? {} : { message }) };
}

/**
 * The parameters as the method gets them: ignorable keys resolved, defaults filled in, `id` where the client spelt it
 * as the namespace (`vm.start { vm }`).
 * @throws XoError code 10 with ajv's errors
 */
export function checkedParameters(method: string, schema: JsonObject, given: Json | undefined): JsonObject {
  const params: Record<string, Json> = { ...(given as JsonObject | undefined) };
  const namespace = method.slice(0, method.indexOf('.'));
  const alias = params[namespace];
  if (params.id === undefined && 'id' in schema && !(namespace in schema) && typeof alias === 'string') {
    delete params[namespace];
    params.id = alias;
  }
  if (Object.keys(schema).length === 0) return params;
  const ignorable = unmark(params);
  const validate = validator(method, schema);
  if (validate(params)) return params;
  const errors = (validate.errors ?? []).filter((error) => {
    const extra: unknown = error.params.additionalProperty;
    const ignored = error.schemaPath === '#/additionalProperties' && typeof extra === 'string' && ignorable.has(extra);
    if (ignored) delete params[extra];
    return !ignored;
  });
  if (errors.length > 0) throw invalidParameters(undefined, errors.map(errorData));
  return params;
}
