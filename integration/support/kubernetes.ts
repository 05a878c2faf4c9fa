/** What is wrong with a manifest, by the two models of Kubernetes that there are: each sees what the other does not. */
import * as client from '@kubernetes/client-node'
import { StatefulSet } from 'kubernetes-models/apps/v1'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import { Namespace, Service } from 'kubernetes-models/v1'

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly [field: string]: unknown
}

/** To use another kind, add it here. */
const MODELS: Readonly<Record<string, new (data: never) => { validate(): void }>> = {
  Namespace,
  NetworkPolicy,
  Service,
  StatefulSet,
}

/** Empty: nothing. */
export function complaintsOf(manifest: Manifest): string[] {
  return [...unknownFields(manifest, `V1${manifest.kind}`, manifest.kind), ...wrongValues(manifest)]
}

function wrongValues(manifest: Manifest): string[] {
  const Model = MODELS[manifest.kind]
  if (Model === undefined) return [`${manifest.kind} is no kind that is used here`]
  try {
    new Model(manifest as never).validate()
    return []
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

interface Attribute {
  readonly name: string
  readonly baseName: string
  readonly type: string
}

const CLASSES = client as unknown as Readonly<Record<string, { getAttributeTypeMap?(): readonly Attribute[] }>>

/** Fields that the API does not know, which it would drop without a word. @param type as the client names it */
function unknownFields(value: unknown, type: string, path: string): string[] {
  const element = /^Array<(.*)>$/.exec(type)?.[1]
  if (element !== undefined) {
    if (!Array.isArray(value)) return [`${path} is no list`]
    return value.flatMap((one, at) => unknownFields(one, element, `${path}[${at}]`))
  }
  const ofMap = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1]
  if (ofMap !== undefined) {
    return Object.entries(value as object).flatMap(([key, one]) => unknownFields(one, ofMap, `${path}.${key}`))
  }
  const attributes = CLASSES[type]?.getAttributeTypeMap?.()
  if (attributes === undefined) return []
  if (typeof value !== 'object' || value === null) return [`${path} has no fields`]
  return Object.entries(value).flatMap(([name, field]) => {
    const attribute = attributes.find(({ baseName }) => baseName === name)
    return attribute === undefined
      ? [`${path}.${name} is unknown`]
      : unknownFields(field, attribute.type, `${path}.${name}`)
  })
}
